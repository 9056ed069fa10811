/** A file on its way to the server, with how much of it has gone. The rest of the API sends JSON. */
import type { LearningFile } from '../../src/server/contract/index.ts'
import { addressOf, ProblemError, problemFrom, unreachable } from './api.ts'

export interface Uploading {
  readonly answer: Promise<LearningFile>
  stop(): void
}

/** `onProgress` is told shares from 0 to 1; after 1 the server reads the columns. */
export function upload(file: File, onProgress: (share: number) => void): Uploading {
  const request = new XMLHttpRequest()
  const answer = new Promise<LearningFile>((resolve, reject) => {
    request.upload.addEventListener('progress', ({ loaded, total }) =>
      onProgress(total === 0 ? 1 : loaded / total),
    )
    request.addEventListener('load', () => {
      if (request.status === 200) {
        resolve(JSON.parse(request.responseText) as LearningFile)
        return
      }
      const answered = new Response(request.responseText, {
        status: request.status,
        statusText: request.statusText,
      })
      void problemFrom(answered).then((problem) => reject(new ProblemError(problem)))
    })
    request.addEventListener('error', () => reject(new ProblemError(unreachable)))
    request.addEventListener('abort', () =>
      reject(new DOMException('The upload was stopped', 'AbortError')),
    )
  })
  request.open('POST', addressOf('uploadLearningFile', undefined, { name: file.name }))
  request.setRequestHeader('content-type', 'application/octet-stream')
  request.setRequestHeader('accept', 'application/json')
  request.send(file)
  return { answer, stop: () => request.abort() }
}
