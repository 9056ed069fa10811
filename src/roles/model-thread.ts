// The thread in which `decide` answers the inference door.
import { parentPort } from 'node:worker_threads'
import { serveModelThread } from '../serving/index.ts'
import { allowsPrivate, openOutside } from './outside-runtimes.ts'

serveModelThread(parentPort!, (body) =>
  openOutside(body, { allowPrivate: allowsPrivate(), here: true }),
)
