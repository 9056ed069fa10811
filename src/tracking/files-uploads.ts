// Uploads in parts: several requests that may come at once and out of order make one file. What has
// come lies beside the store and is seen by nobody; a restart of the server throws it away.
import { requireReason, type ChangeBy } from '../access/index.ts'
import { trackingErrors } from './errors.ts'
import type { FileOwner, PartStore, StoredFile } from './file-ports.ts'
import { checkFilePath, contentTypeOf } from './files-paths.ts'
import { tooLarge } from './files-stream.ts'
import { fileLimits, type FilesDependencies, type Keep } from './files.ts'

export interface Uploads {
  /**
   * Announces a file in 1 to 10,000 parts. The id is a secret: whoever has it may send parts. Errors:
   * `upload_invalid`, `part_uploads_full`, and those of `put`.
   */
  begin(
    owner: FileOwner,
    file: {
      readonly path: string
      readonly contentType?: string | undefined
      readonly parts: number
    },
    by: ChangeBy,
  ): Promise<string>
  /** Takes part 1, 2, …; the same number again replaces it. Gives the tag that names its content. */
  putPart(uploadId: string, number: number, content: AsyncIterable<Uint8Array>): Promise<string>
  /**
   * Makes the file of all parts. Asked again, also while it is being made, the answer is the same.
   * Errors: `upload_invalid` where parts are missing or have other tags, and those of `put`.
   */
  complete(
    uploadId: string,
    target: { readonly owner: FileOwner; readonly path: string },
    parts: readonly { readonly number: number; readonly tag: string }[],
  ): Promise<StoredFile>
  /** Gives up uploads that nobody goes on with; how many. */
  giveUpIdle(): Promise<number>
  /** Throws away what has come. An upload that is not there is no error. */
  abort(uploadId: string): Promise<void>
}

/** Ended uploads that are remembered. */
const ENDED_MAX = 256
const RETRY_AFTER_S = 10

interface Part {
  readonly name: string
  readonly sha256: string
  readonly size: number
}

interface Upload {
  readonly owner: FileOwner
  readonly path: string
  readonly contentType: string
  readonly count: number
  readonly by: ChangeBy
  readonly parts: Map<number, Part>
  /** Bytes that have come or are coming. */
  bytes: number
  lastUs: number
  arriving: number
  file: Promise<StoredFile> | undefined
  isOver: boolean
}

interface UploadsDependencies extends FilesDependencies {
  readonly keep: Keep
  readonly limitBytes: number
}

export function createUploads(dependencies: UploadsDependencies): Uploads {
  const { artifacts, parts: store, owners, clock, random, keep, limitBytes } = dependencies
  const uploads = new Map<string, Upload>()
  let named = 0

  function find(id: string): Upload {
    const upload = uploads.get(id)
    if (upload === undefined) throw trackingErrors.upload_not_found('No upload has that id.')
    return upload
  }

  async function end(id: string, upload: Upload): Promise<void> {
    upload.isOver = true
    uploads.delete(id)
    await removeAll(store, upload)
  }

  async function drop(upload: Upload, number: number): Promise<void> {
    const part = upload.parts.get(number)
    if (part === undefined) return
    upload.parts.delete(number)
    upload.bytes -= part.size
    await store.remove(part.name)
  }

  async function giveUpIdle(): Promise<number> {
    const since = clock.nowUs() - fileLimits.uploadIdleUs
    const before = uploads.size
    for (const [id, upload] of uploads) {
      const isBusy = upload.arriving > 0 || (upload.file !== undefined && !upload.isOver)
      if (upload.lastUs < since && !isBusy) await end(id, upload)
    }
    return before - uploads.size
  }

  async function assemble(upload: Upload): Promise<StoredFile> {
    const ordered = Array.from({ length: upload.count }, (_, i) => upload.parts.get(i + 1)!)
    const stored = await artifacts.putStream(concatenated(store, ordered), limitBytes)
    const { owner, path, contentType, by } = upload
    const file = await keep(owner, { path, contentType, ...stored }, by)
    // It stays known for a while, for a client that did not hear the answer.
    upload.isOver = true
    await removeAll(store, upload)
    return file
  }

  function checkRoom({ actor }: ChangeBy): void {
    const open = [...uploads.values()].filter(({ isOver }) => !isOver)
    const own = open.filter((upload) => upload.by.actor.id === actor.id).length
    if (open.length < fileLimits.uploads && own < fileLimits.uploadsPerIdentity) return
    const whose = own < fileLimits.uploadsPerIdentity ? open.length : `${own} of ${actor.id}`
    const endS = fileLimits.uploadIdleUs / 1e6
    throw trackingErrors.part_uploads_full(
      `${whose} uploads in parts are open; those that nothing is sent to end after ${endS / 60} minutes.`,
      { extra: { retryAfter: RETRY_AFTER_S } },
    )
  }

  /** Ended uploads are little, and the oldest go. */
  function forgetEnded(): void {
    const ended = [...uploads].filter(([, { isOver }]) => isOver)
    for (const [id] of ended.slice(0, -ENDED_MAX)) uploads.delete(id)
  }

  return {
    async begin(owner, { path, contentType = contentTypeOf(path), parts: count }, by) {
      checkFilePath(path)
      requireReason(by)
      if (!Number.isSafeInteger(count) || count < 1 || count > fileLimits.parts) {
        throw trackingErrors.upload_invalid(
          `A file comes in 1 to ${fileLimits.parts} parts, not ${count}.`,
        )
      }
      await owners.check(owner)
      await giveUpIdle()
      checkRoom(by)
      const id = Buffer.from(random(24)).toString('hex')
      uploads.set(id, {
        owner,
        path,
        contentType,
        count,
        by,
        parts: new Map(),
        bytes: 0,
        lastUs: clock.nowUs(),
        arriving: 0,
        file: undefined,
        isOver: false,
      })
      return id
    },

    async putPart(id, number, content) {
      const upload = find(id)
      if (!Number.isSafeInteger(number) || number < 1 || number > upload.count) {
        throw trackingErrors.upload_invalid(`The upload has parts 1 to ${upload.count}.`)
      }
      if (upload.file !== undefined) {
        throw trackingErrors.upload_invalid('The upload is complete and takes no more parts.')
      }
      const name = `${id}-${++named}`
      const counter = { bytes: 0 }
      upload.arriving++
      try {
        // A part that is sent again counts once.
        await drop(upload, number)
        const stored = await store.write(name, counted(upload, counter, content), limitBytes)
        if (upload.isOver || upload.file !== undefined) {
          await store.remove(name)
          throw trackingErrors.upload_not_found('The upload was ended as the part came.')
        }
        await drop(upload, number)
        upload.parts.set(number, { name, ...stored })
        // What was counted stays counted with the part.
        counter.bytes = 0
        return stored.sha256
      } finally {
        upload.bytes -= counter.bytes
        upload.arriving--
        upload.lastUs = clock.nowUs()
      }
    },

    async complete(id, target, parts) {
      const upload = find(id)
      if (!isSame(upload, target)) {
        throw trackingErrors.upload_invalid(`The upload is one to ${upload.path}.`)
      }
      if (upload.file === undefined) {
        checkParts(upload, parts)
        upload.file = assemble(upload).finally(() => {
          upload.lastUs = clock.nowUs()
          forgetEnded()
        })
        // After a failure it can be asked for again.
        upload.file.catch(() => {
          upload.file = undefined
        })
      }
      return upload.file
    },

    giveUpIdle,

    async abort(id) {
      const upload = uploads.get(id)
      if (upload === undefined) return
      await upload.file?.catch(() => undefined)
      await end(id, upload)
    },
  }

  /** Counts bytes of all parts together, so that the parts of a file cannot take more than it may. */
  async function* counted(
    upload: Upload,
    counter: { bytes: number },
    content: AsyncIterable<Uint8Array>,
  ) {
    for await (const chunk of content) {
      counter.bytes += chunk.length
      upload.bytes += chunk.length
      upload.lastUs = clock.nowUs()
      if (upload.bytes > limitBytes) throw tooLarge(upload.bytes, limitBytes)
      yield chunk
    }
  }
}

function isSame(upload: Upload, target: { readonly owner: FileOwner; readonly path: string }) {
  const { owner, path } = upload
  return owner.kind === target.owner.kind && owner.id === target.owner.id && path === target.path
}

function checkParts(
  upload: Upload,
  named: readonly { readonly number: number; readonly tag: string }[],
): void {
  const tags = new Map(named.map(({ number, tag }) => [number, tag.replaceAll('"', '')]))
  if (tags.size !== upload.count || named.length !== upload.count) {
    throw trackingErrors.upload_invalid(
      `The upload has ${upload.count} parts, and ${named.length} were named.`,
    )
  }
  for (let number = 1; number <= upload.count; number++) {
    const part = upload.parts.get(number)
    if (part === undefined) throw trackingErrors.upload_invalid(`Part ${number} has not come.`)
    if (part.sha256 !== tags.get(number)) {
      throw trackingErrors.upload_invalid(`Part ${number} came with other content than was named.`)
    }
  }
}

async function* concatenated(store: PartStore, parts: readonly Part[]) {
  for (const { name } of parts) yield* store.read(name)
}

async function removeAll(store: PartStore, upload: Upload): Promise<void> {
  for (const { name } of upload.parts.values()) await store.remove(name)
}
