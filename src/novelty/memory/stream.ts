/**
 * A stream of events searched for what is new: rows in, observations out. Joins the encoding of
 * fields, the statistics of entities and the memory of patterns, which are saved and restored as one.
 */
import { contentHash } from '../../lib/hash.ts'
import { HOUR_US } from '../../lib/time.ts'
import { fail } from '../errors.ts'
import {
  type DeclaredKinds,
  type Encoder,
  encoderOf,
  type Encoding,
  learnEncoding,
} from './encoding.ts'
import {
  EntityStatistics,
  type EntityStatisticsSettings,
  type EntityStatisticsState,
} from './entity-statistics.ts'
import { learnMemory } from './learn-memory.ts'
import { PatternMemory } from './memory.ts'
import type { MemoryState } from './memory-state.ts'
import { type MemorySettings, memorySettings } from './settings.ts'
import type { Observation } from './types.ts'

/** An event as it comes; `fields` in the order of the stream's columns. */
export interface StreamEvent {
  readonly timeUs: number
  readonly entity: string
  /** The other party of an interaction, where events carry two. */
  readonly party?: string
  readonly fields: readonly string[]
}

/** An event of the known part, with its class where there are several. */
export interface TrainingEvent extends StreamEvent {
  readonly label?: string
}

export type StreamDeclaration = {
  /** Names of the fields, without those of time, entity, party and label. */
  readonly columns: readonly string[]
  readonly kinds?: DeclaredKinds
  /** Whether events carry two parties. */
  readonly parties: boolean
  /** Whether what an entity did before is looked at; not where the fields tell it already. */
  readonly history?: boolean
  readonly settings?: Partial<MemorySettings>
  readonly statistics?: Partial<EntityStatisticsSettings>
}

export type NoveltyStreamState = {
  readonly format: 'assay-novelty-stream/1'
  readonly columns: readonly string[]
  readonly parties: boolean
  readonly history: boolean
  readonly encoding: Encoding
  readonly statisticsSettings: EntityStatisticsSettings
  readonly statistics: EntityStatisticsState
  readonly memory: MemoryState
}

export const DEFAULT_LABEL = 'normal'

const defaultStatistics: EntityStatisticsSettings = {
  halfLifeUs: HOUR_US,
  entitiesMax: 20_000,
  pairsMax: 50_000,
}

export class NoveltyStream {
  readonly memory: PatternMemory
  readonly #head: Omit<NoveltyStreamState, 'statistics' | 'memory'>
  readonly #statistics: EntityStatistics
  readonly #encoder: Encoder
  /** Where the encoding's columns stand among the fields. */
  readonly #positions: readonly number[]
  readonly #categories: readonly number[]
  readonly #point: Float64Array
  #sequence: number

  /** Error: `novelty_state_damaged`. */
  constructor(state: NoveltyStreamState) {
    if (state?.format !== 'assay-novelty-stream/1') {
      throw fail.novelty_state_damaged(`Its format is not "assay-novelty-stream/1".`)
    }
    const { statistics, memory, ...head } = state
    this.#head = head
    this.#statistics = new EntityStatistics(state.statisticsSettings, statistics)
    this.memory = new PatternMemory(memory)
    this.#encoder = encoderOf(state.encoding)
    const names = fieldNames(state)
    this.#positions = state.encoding.columns.map(({ name }) => names.indexOf(name))
    this.#categories = categoryPositions(state.columns, state.encoding)
    this.#point = new Float64Array(this.#encoder.width)
    this.#sequence = memory.seen
  }

  /**
   * Learns a stream from its known part, in the order of time. Errors: `novelty_training_too_small`,
   * `novelty_settings_invalid`.
   */
  static learn(events: readonly TrainingEvent[], declared: StreamDeclaration): NoveltyStream {
    const settings = memorySettings(declared.settings)
    const statisticsSettings = { ...defaultStatistics, ...declared.statistics }
    const { columns, parties, history = true, kinds } = declared
    const encodingOfFields = learnEncoding(
      columns,
      events.map(({ fields }) => fields),
      kinds,
    )
    const categories = categoryPositions(columns, encodingOfFields)
    const statistics = new EntityStatistics(statisticsSettings)
    const rows = events.map((event) => wholeRow(event, history, statistics, categories))
    const names = fieldNames({ columns, parties, history })
    const encoding = learnEncoding(names, rows, { ...kinds, ...kindsOf(encodingOfFields) })
    const encoder = encoderOf(encoding)
    const positions = encoding.columns.map(({ name }) => names.indexOf(name))
    const records = events.map(({ label = DEFAULT_LABEL, timeUs, entity }, i) => {
      const point = new Float64Array(encoder.width)
      encoder.write(
        positions.map((at) => rows[i][at]),
        point,
      )
      return { point, label, example: { sequence: i, timeUs, entity, fields: rows[i] } }
    })
    const memory = learnMemory(records, { columns: names, places: encoder.places }, settings)
    return new NoveltyStream({
      format: 'assay-novelty-stream/1',
      columns,
      parties,
      history,
      encoding,
      statisticsSettings,
      statistics: statistics.saved(),
      memory,
    })
  }

  /** Columns whose values are nearly all different: they are kept in examples and not looked at. */
  get left(): readonly string[] {
    return this.#head.encoding.left
  }

  get columns(): readonly string[] {
    return this.#head.columns
  }

  /** How much is held of entities, each below its setting. */
  get sizes() {
    return { ...this.memory.sizes, ...this.#statistics.sizes }
  }

  observe(event: StreamEvent): Observation {
    const fields = wholeRow(event, this.#head.history, this.#statistics, this.#categories)
    this.#encoder.write(
      this.#positions.map((at) => fields[at]),
      this.#point,
    )
    const { timeUs, entity } = event
    const sequence = this.#sequence++
    return this.memory.observe({ sequence, timeUs, entity, fields, point: this.#point })
  }

  saved(): NoveltyStreamState {
    return {
      ...this.#head,
      statistics: this.#statistics.saved(),
      memory: this.memory.saved(),
    }
  }

  /** The name of the state: the hash of its content. */
  version(): string {
    return contentHash(this.saved())
  }
}

function fieldNames({
  columns,
  parties,
  history,
}: Pick<NoveltyStreamState, 'columns' | 'parties' | 'history'>): string[] {
  return history ? [...columns, ...EntityStatistics.names(parties)] : [...columns]
}

/** The fields of an event and, where wanted, how it stands to what its entity did before. */
function wholeRow(
  { fields, entity, party, timeUs }: StreamEvent,
  history: boolean,
  statistics: EntityStatistics,
  categories: readonly number[],
): readonly string[] {
  if (!history) return fields
  const values = categories.map((at) => fields[at])
  const figures = statistics.add({ entity, party, timeUs, categories: values })
  return [...fields, ...figures.map(String)]
}

function categoryPositions(columns: readonly string[], { columns: encoded }: Encoding): number[] {
  return encoded
    .filter(({ kind }) => kind === 'category')
    .map(({ name }) => columns.indexOf(name))
    .filter((at) => at >= 0)
}

/** The kinds that were recognised, so that a second look at the same columns finds the same. */
function kindsOf({ columns, left }: Encoding): DeclaredKinds {
  return Object.fromEntries([
    ...columns.map(({ name, kind }) => [name, kind] as const),
    ...left.map((name) => [name, 'ignore'] as const),
  ])
}
