// A process of one model, as a person starts it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { eventually } from './server.ts'

/** `assay serve`, until it says that it is ready. */
export async function serve(...args: string[]) {
  const launcher = join(repositoryRoot, 'bin', 'assay.js')
  const child = spawn(process.execPath, [launcher, 'serve', ...args, '--port', '0'])
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = once(child, 'exit') as Promise<[number | null]>
  onTestFinished(() => void child.kill('SIGKILL'))
  const [, url] = await eventually(
    'the model is ready',
    () => {
      if (child.exitCode !== null) throw new Error(said)
      return / is ready after \d+ ms: (\S+?)(?:,|\n)/.exec(said)
    },
    () => said,
  )
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      return (await ended)[0]
    },
  }
}
