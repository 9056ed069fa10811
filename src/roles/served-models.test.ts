import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tinyGraph } from '../../test/brought-graph.ts'
import { engineModel } from '../../test/inference-models.ts'
import type {
  LabelledVersion,
  ModelVersion,
  VersionName,
  VersionStatus,
} from '../registry/index.ts'
import {
  createModelThreads,
  createPublishedHost,
  type PublishedHost,
  readCatalogue,
  type ServedModel,
  writeServedModel,
} from '../serving/index.ts'
import { createServedPublisher } from './served-publisher.ts'

const { model, rows, probabilities } = await engineModel('churn')

let directory = ''
let host: PublishedHost
let troubles: unknown[] = []
let workers: Worker[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'assay-served-'))
  troubles = []
  workers = []
  host = createPublishedHost({
    published: directory,
    threads: createModelThreads({
      start: () => {
        const worker = new Worker(new URL('./model-thread.ts', import.meta.url))
        workers.push(worker)
        return worker
      },
    }),
    onTrouble: (error) => troubles.push(error),
  })
})
afterEach(async () => {
  await host.close()
  rmSync(directory, { recursive: true, force: true })
})

const version = (number: number, status: VersionStatus) =>
  ({ model: 'churn', version: number, hash: `record ${number}`, status }) as ModelVersion

/** A registry that has just these versions, whose models may be read so often. */
function publisherOf(
  versions: ModelVersion[],
  json = JSON.stringify(model),
  { deployed = [], text }: { deployed?: readonly VersionName[]; text?: string } = {},
) {
  let reads = 0
  const publisher = createServedPublisher({
    directory,
    haveMoved: () => true,
    registry: {
      searchVersions: async ({ filter }) => ({
        versions: versions
          .filter(({ status }) => filter && 'value' in filter && filter.value === status)
          .map((each) => ({ version: each }) as LabelledVersion),
      }),
      version: async (_, number) => versions.find((each) => each.version === number)!,
    },
    deployed: async () => deployed,
    sources: {
      modelJson: async () => {
        reads++
        return json
      },
      file: async () => (text === undefined ? undefined : Buffer.from(text)),
    },
  })
  return { ...publisher, reads: () => reads }
}

const inputs = [
  {
    name: 'input',
    datatype: 'FP64',
    shape: [rows.length, 3],
    data: Float64Array.from(rows.flat()),
  },
] as const

async function answers(number?: string) {
  const { standing } = host.find('churn', number)
  if (standing.state !== 'ready') throw new Error(JSON.stringify(standing))
  const [, proba] = await standing.runtime.predict(inputs)
  return proba.data
}

describe('what keep publishes', () => {
  test('is served from a thread, the live version where none is named', async () => {
    await publisherOf([version(2, 'approved'), version(1, 'live')]).publish()
    await host.refresh()
    expect(host.list().map((each) => each.version)).toEqual(['2', '1'])
    expect(host.find('churn').version).toBe('1')
    expect(await answers()).toEqual(Float64Array.from(probabilities.flat()))
    expect(await answers('2')).toEqual(Float64Array.from(probabilities.flat()))
    expect(() => host.find('churn', '3')).toThrow('in version 3')
    expect(troubles).toEqual([])
  })

  test('changes with the registry, and a version that was published is not made again', async () => {
    const versions = [version(1, 'live')]
    const publisher = publisherOf(versions)
    await publisher.publish()
    await publisher.publish()
    versions.push(version(2, 'approved'))
    await publisher.publish()
    expect(publisher.reads()).toBe(2)
    await host.refresh()
    versions.shift()
    await publisher.publish()
    await host.refresh()
    expect(host.list().map((each) => each.version)).toEqual(['2'])
    const afresh = publisherOf(versions)
    await afresh.publish()
    expect(afresh.reads()).toBe(0)
  })

  test('says why a version cannot be served', async () => {
    await publisherOf([version(1, 'live')], JSON.stringify({ ...model, trees: 3 })).publish()
    await host.refresh()
    const { standing } = host.find('churn')
    expect(standing).toMatchObject({ state: 'unserved' })
  })

  test('is not served where the document is damaged, and the others are', async () => {
    const publisher = publisherOf([version(1, 'approved')])
    await publisher.publish()
    const [{ document }] = (await readCatalogue(directory))!.models
    writeFileSync(join(directory, 'served-models', `${document}.json`), '{}')
    await host.refresh()
    expect(host.find('churn').standing).toMatchObject({
      state: 'unavailable',
      reason: /does not hold what its name/,
    })
    expect(troubles).toHaveLength(1)
  })

  test('is answered by another thread where the first one falls', async () => {
    await publisherOf([version(1, 'live')]).publish()
    await host.refresh()
    for (let fallen = 0; fallen < 7; fallen++) {
      await workers.at(-1)!.terminate()
      expect(await answers()).toEqual(Float64Array.from(probabilities.flat()))
    }
    expect(workers).toHaveLength(8)
  })

  test('is asked by decisions where it is computed elsewhere, also while nobody approved it', async () => {
    const served: ServedModel = {
      format: 1,
      name: 'graph',
      version: '7',
      body: { kind: 'onnx', file: readFileSync(tinyGraph).toString('base64') },
    }
    const { hash, text } = writeServedModel(served)
    const outside = { ...version(3, 'candidate'), kind: 'outside' }
    const json = JSON.stringify({ kind: 'outside', features: [], served: hash })
    const about = [{ model: 'churn', version: 3 }]
    const publisher = publisherOf([outside], json, { deployed: about, text })
    await publisher.publish()
    await host.decisive()
    expect(() => host.find('churn', '3')).toThrow('No model churn')
    const runtime = host.runtimeOf(hash)
    const [, proba] = await runtime.predict([
      { name: 'input', datatype: 'FP64', shape: [1, 5], data: Float64Array.of(390, 1, 1, 40, 0) },
    ])
    expect(proba.data[1]).toBeGreaterThan(0.5)
    await publisherOf([outside], json, { text }).publish()
    await host.refresh()
    expect(() => host.runtimeOf(hash)).toThrow('No model of the document')
    await expect(host.ready(hash)).rejects.toThrow('No model of the document')
  })

  test('survives a catalogue that is damaged: what was served stays, and keep writes it again', async () => {
    const versions = [version(1, 'live')]
    await publisherOf(versions).publish()
    await host.refresh()
    writeFileSync(join(directory, 'served-models.json'), '{')
    await host.refresh()
    await host.refresh()
    expect(troubles).toHaveLength(1)
    expect(await answers()).toHaveLength(10)
    await publisherOf(versions).publish()
    await host.refresh()
    expect(await answers()).toHaveLength(10)
  })
})
