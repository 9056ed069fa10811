import { expect, test } from 'vitest'
import type { Terminal } from './output.ts'
import { createStartScreen } from './start-screen.ts'

function told(home: string, decides = true, readsLogs = false): string {
  let text = ''
  const output = {
    interactive: false,
    line: (line = '') => void (text += `${line}\n`),
    raw: (piece: string) => void (text += piece),
    style: (_style: string, plain: string) => plain,
  }
  const terminal: Terminal = { out: output, err: output }
  const screen = createStartScreen(terminal, '1.0.0', home)
  screen.ready({ url: 'http://here', signInUrl: 'http://here/sign-in', firstKey: 'ak_1' })
  screen.done({ problem: null, skipped: false, decides, readsLogs }, 'http://here')
  return text
}

test('the commands that are offered name the home, where it is not the usual one', () => {
  const text = told('/srv/my bank')
  for (const command of ['open', 'keys reset', 'audit verify']) {
    expect(text).toContain(`npx assay ${command} --home "/srv/my bank"`)
  }
  expect(told('/srv/bank')).toContain('npx assay open --home /srv/bank`')
  expect(told('.assay')).not.toContain('--home')
})

test('a project of pipelines alone is sent to its pipelines, and told that nothing decides', () => {
  const text = told('.assay', false)
  expect(text).toContain('The project declares no policy')
  expect(text).toContain('http://here/pipelines')
  expect(text).not.toContain('assay decide')
})

test('a project that reads logs is sent to their visitors, and nowhere where it has nothing', () => {
  const text = told('.assay', false, true)
  expect(text).toContain('http://here/visitors')
  expect(text).toContain('npx assay logs visitors')
  expect(text).not.toContain('/pipelines')
  expect(told('.assay', true, true)).not.toContain('/visitors')
})
