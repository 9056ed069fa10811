// The thread of model-reader.ts: reads one logged model after another.
import { parentPort } from 'node:worker_threads'
import { describeLogged } from '../registry/index.ts'
import type { ToReader, FromReader } from './model-reader.ts'

const port = parentPort!
const answer = (message: FromReader) => port.postMessage(message)
let given: ((message: Extract<ToReader, { kind: 'content' }>) => void) | undefined

/** Asks for a file; one at a time, because the reader asks so. */
function read(path: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    given = ({ bytes }) => {
      if (bytes === undefined) reject(new Error(`${path} could not be read.`))
      else resolve(bytes)
    }
    answer({ kind: 'read', path })
  })
}

port.on('message', (message: ToReader) => {
  if (message.kind === 'content') {
    given?.(message)
    return
  }
  const { sizes, options } = message
  describeLogged({ sizes: new Map(sizes), read }, options).then(
    (description) => answer({ kind: 'described', description }),
    (error: unknown) => answer({ kind: 'failed', message: String(error) }),
  )
})
