// Derived files that a disk spoilt: the namespace goes on as if it had never had them.
import { afterEach, expect, test, vi } from 'vitest'
import {
  createMemoryColdStore,
  featureErrors,
  type ColdStore,
  createFeatureState,
} from '../features/index.ts'
import { compileSource } from '../data/index.ts'
import { readWholeFile, writeFileAtomic } from '../lib/files.ts'
import { closeServices, codeOf, deployedBank, openBank } from '../../test/running-bank.ts'
import { deployment, payment, payments, startUs } from '../../test/small-bank.ts'
import { baseFile, mendBases } from './base-files.ts'
import { writeBaseCheckpoint } from './checkpoint.ts'

afterEach(closeServices)

/** Entities on disk that are spoilt when the test says so, and empty when they are opened again. */
function spoilingStores() {
  let isSpoilt = false
  const opened: number[] = []
  const openCold = async (): Promise<ColdStore> => {
    const store = createMemoryColdStore()
    const number = opened.push(0)
    const get: ColdStore['get'] = (key) => {
      if (isSpoilt && number === 1) throw featureErrors.cold_store_damaged(`"${key}" is damaged.`)
      return store.get(key)
    }
    return { ...store, get }
  }
  return { openCold, opened, spoil: () => (isSpoilt = true) }
}

test('damaged entities on disk are replaced while decisions go on, with the same values', async () => {
  const { openCold, opened, spoil } = spoilingStores()
  const steady = await deployedBank()
  const small = await deployedBank({ stateMemory: { maxBytes: 1, openCold } })
  const body = (n: number) => payment(n, { customer: n % 50, terminal: n % 40 })
  const featuresIn = async (
    { decide, remote }: Pick<typeof steady, 'decide' | 'remote'>,
    n: number,
  ) => {
    await decide(body(n))
    const key = { namespace: 'live', policy: 'card', eventId: `p${n}` }
    return (await remote.decision(key)).record.features
  }
  const bothAgree = async (n: number) =>
    expect(await featuresIn(small, n)).toEqual(await featuresIn(steady, n))
  for (let n = 1; n <= 100; n++) await bothAgree(n)
  spoil()
  // Which entity is away when it is asked for is the store's to say.
  let n = 101
  for (let code = 'none'; code === 'none'; n += Number(code === 'none')) {
    code = await codeOf(small.decide(body(n)))
    if (code === 'none') await steady.decide(body(n))
    else expect(code).toBe('cold_store_damaged')
    expect(n).toBeLessThan(200)
  }
  await vi.waitUntil(() => small.service.namespace('live').pause === undefined, 5000)
  expect(opened).toHaveLength(2)
  for (const end = n + 50; n < end; n++) await bothAgree(n)
  expect(small.fatal).toEqual([])
})

async function bankOnBase() {
  const { featureSets } = deployment()
  const source = compileSource(payments)
  const state = createFeatureState(featureSets, source)
  for (let n = 0; n < 5; n++) state.apply([`h${n}`, startUs - 1e6 * (5 - n), 1, 1, 100], n + 1)
  const made = await openBank()
  const base = { featureSets, source, state: state.snapshot(), lastSequence: 5 }
  await made.files.makeDirectory('/bases')
  await writeBaseCheckpoint(
    '/bases/a.checkpoint',
    { ...base, newestEventTimeUs: startUs },
    made.files,
  )
  const { checkpoint } = await made.remote.loadBase({
    namespace: 'live',
    path: '/bases/a.checkpoint',
  })
  const hash = made.deployments.add(deployment())
  const request = { namespace: 'live', deployment: hash, actor: 'a', reason: 'r' }
  await made.remote.switchDeployment(request)
  const score = (await made.answer(payment(1))).score
  await made.service.namespace('live').journal.flush()
  return { ...made, file: baseFile('/decide/live', checkpoint), score }
}

test('a damaged base is put back from where it was made, and kept beside', async () => {
  const { files, file, deployments, score } = await bankOnBase()
  const whole = await readWholeFile(file, files)
  await writeFileAtomic(file, whole.subarray(0, whole.length - 1), files)
  const again = await openBank({ files, deployments, bases: '/bases' })
  expect((await again.answer(payment(1))).score).toBe(score)
  expect(await readWholeFile(file, files)).toEqual(whole)
  expect((await readWholeFile(`${file}.damaged`, files)).length).toBe(whole.length - 1)
})

test('a base of which there is no copy stops the start with what to do, and is found by a look over all', async () => {
  const { files, file, deployments } = await bankOnBase()
  const whole = await readWholeFile(file, files)
  await files.remove(file)
  expect(await codeOf(openBank({ files, deployments }))).toBe('base_lost')
  const options = { files, bases: '/bases' }
  expect(await mendBases('/decide', options)).toMatchObject([{ namespace: 'live', problem: null }])
  expect(await readWholeFile(file, files)).toEqual(whole)
  await files.remove(file)
  await files.remove('/bases/a.checkpoint')
  const [{ problem }] = await mendBases('/decide', options)
  expect(problem).toContain('no other copy')
})
