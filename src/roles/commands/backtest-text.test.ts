import { expect, test } from 'vitest'
import { deployment } from '../../../test/small-bank.ts'
import type { TextOutput } from '../../cli/index.ts'
import { createBacktest, createEngine } from '../../decisions/index.ts'
import type { KeptBacktest } from '../../pipelines/index.ts'
import { printBacktest } from './backtest-text.ts'

const document = deployment()
const names = document.featureSets[0].features.map(({ name }) => name)

function printed(namespace: string | undefined): string {
  const lines: string[] = []
  const line = (text = '') => void lines.push(text)
  const style: TextOutput['style'] = (_style, text) => text
  const evidence: KeptBacktest['evidence'] = {
    format: 1,
    policy: 'card',
    ...(namespace !== undefined && { namespace }),
    draft: { policy: 'p', document: 'd', model: 'm', modelNumber: 1 },
    before: null,
    period: { fromUs: null, toUs: null },
    over: { kind: 'records', through: 1 },
    report: createBacktest(createEngine(document, names), null).report(),
  }
  const kept = { hash: 'b7'.repeat(32), title: 'A draft', actor: 'ann', atUs: 1, seconds: 2 }
  const out = { interactive: false, line, raw: line, style }
  printBacktest({ ...kept, evidence }, document.source, document.policy, out)
  return lines.join('\n')
}

test('a back-test says in which namespace its decisions were recorded, where it knows', () => {
  expect(printed('replay-3')).toContain('as they were recorded, in namespace replay-3; 0 known')
  expect(printed(undefined)).toContain('as they were recorded; 0 known')
})
