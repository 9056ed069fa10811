// The thread that ends a step's process, and all that it started, when its parent is gone.
import { workerData } from 'node:worker_threads'

const LOOK_EVERY_MS = 500

setInterval(() => {
  if (process.ppid === workerData) return
  try {
    process.kill(process.platform === 'win32' ? process.pid : -process.pid, 'SIGKILL')
  } catch {
    process.kill(process.pid, 'SIGKILL')
  }
}, LOOK_EVERY_MS)
