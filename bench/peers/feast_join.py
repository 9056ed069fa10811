"""The point-in-time join by Feast's local offline store: entity rows with times, and for each the
newest feature row of its customer and of its terminal. Prints one JSON object on the last line.

Usage: python feast_join.py FOLDER STORE, the store being file or duckdb. The folder holds customer.parquet, terminal.parquet (key,
event_timestamp, features) and entities.parquet (row, both keys, event_timestamp); the answer is
written to answer.parquet beside them.
"""

import json
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

import feast
import pandas as pd
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Float64
from feast.value_type import ValueType

# Longer than the stream: no feature row is ever too old.
TTL = timedelta(days=400)


def main(folder: Path, store_type: str) -> None:
    store = FeatureStore(
        config=RepoConfig(
            project="bench",
            provider="local",
            registry=str(folder / f"registry-{store_type}.db"),
            online_store=None,
            offline_store={"type": store_type},
            entity_key_serialization_version=3,
        )
    )
    views = [EntityView(folder, key) for key in ("customer", "terminal")]
    store.apply([view.entity for view in views] + [view.view for view in views])
    names = [f"{view.view.name}:{field}" for view in views for field in view.fields]

    entities = pd.read_parquet(folder / "entities.parquet")
    entities["event_timestamp"] = entities["event_timestamp"].dt.tz_localize("UTC")
    # The first call loads what the store needs; it is not timed.
    store.get_historical_features(entity_df=entities.head(10), features=names).to_df()
    cpu = time.process_time()
    start = time.perf_counter()
    answer = store.get_historical_features(entity_df=entities, features=names).to_df()
    wall_s = time.perf_counter() - start
    cpu_s = time.process_time() - cpu

    answer.sort_values("row").to_parquet(folder / "answer.parquet", index=False)
    print(
        json.dumps(
            {
                "version": feast.__version__,
                "rows": len(answer),
                "wall_s": wall_s,
                "cpu_s": cpu_s,
                "memory_max_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


class EntityView:
    """A feature view over one of the files, with its entity and its features' names."""

    def __init__(self, folder: Path, key: str) -> None:
        path = str(folder / f"{key}.parquet")
        key_column = f"{key}_id"
        columns = pq.read_schema(path).names
        self.fields = [name for name in columns if name not in (key_column, "event_timestamp")]
        self.entity = Entity(name=key, join_keys=[key_column], value_type=ValueType.INT64)
        self.view = FeatureView(
            name=f"{key}_windows",
            entities=[self.entity],
            ttl=TTL,
            schema=[Field(name=name, dtype=Float64) for name in self.fields],
            source=FileSource(path=path, timestamp_field="event_timestamp"),
        )


main(Path(sys.argv[1]), sys.argv[2])
