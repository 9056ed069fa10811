// Loaded into every process and thread of a server that is tested: what the machine does to it, told by
// files of a folder that are looked at whenever it matters, so that a fault holds as soon as it is told.
//
//   clock-ms     how far the wall clock is off
//   disk-full    there is no room for a file
//   model-falls  the thread of models ends at once, and takes the file away
//   model-hangs  the thread of models does nothing until the file is gone
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'

const folder = process.env['ASSAY_TEST_FAULTS']!
const fault = (name: string) => join(folder, name)

const now = Date.now
Date.now = () => {
  if (!fs.existsSync(fault('clock-ms'))) return now()
  return now() + Number(fs.readFileSync(fault('clock-ms'), 'utf8'))
}

// Journal, checkpoints and documents are written by this call, and nothing else is.
type Write = (descriptor: number, ...rest: unknown[]) => void
const whole = fs as unknown as { write: Write }
const { write } = whole
/** Standard output and what is bound to it are no files. */
const FIRST_FILE = 3
whole.write = (descriptor, ...rest) => {
  if (descriptor < FIRST_FILE || !fs.existsSync(fault('disk-full'))) {
    return write(descriptor, ...rest)
  }
  const done = rest.at(-1) as (error: Error) => void
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
  })
  process.nextTick(done, error)
}
syncBuiltinESMExports()

const POLL_MS = 5
if (!isMainThread && process.argv[1]?.endsWith('model-thread.ts')) {
  setInterval(() => {
    if (fs.existsSync(fault('model-falls'))) {
      fs.rmSync(fault('model-falls'))
      process.exit(1)
    }
    const sleeper = new Int32Array(new SharedArrayBuffer(4))
    while (fs.existsSync(fault('model-hangs'))) Atomics.wait(sleeper, 0, 0, POLL_MS)
  }, POLL_MS).unref()
}
