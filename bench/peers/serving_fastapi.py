"""LightGBM behind FastAPI, as tutorials write it: `serving_fastapi.py MODEL.txt PORT`."""

import sys

import lightgbm as lgb
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

booster = lgb.Booster(model_file=sys.argv[1])
app = FastAPI()


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class Request(BaseModel):
    inputs: list[Tensor]


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/predict")
async def predict(request: Request):
    tensor = request.inputs[0]
    rows = np.array(tensor.data).reshape(tensor.shape)
    scores = booster.predict(rows, num_threads=1)
    return {"predictions": scores.tolist()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
