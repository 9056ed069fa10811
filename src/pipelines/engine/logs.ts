// Logs of attempts: a file each, bounded, read by offset so that a page can follow one as it grows.
import { mkdirSync, openSync, closeSync, writeSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipelineErrors } from '../errors.ts'

/** What an attempt may write; more is counted and not kept. */
const BYTES_MAX = 8 * 1024 * 1024
/** In one answer. */
const READ_MAX = 256 * 1024
const RUN_ID = /^[a-z][a-z0-9]*_[0-9a-z]{26}$/
const STEP = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

export interface LogWriter {
  write(text: string | Uint8Array): void
  close(): void
}

export interface LogPart {
  readonly text: string
  /** Where the next part begins, in bytes. */
  readonly next: number
  readonly bytes: number
}

/** The logs of a folder. */
export function openLogs(directory: string, { bytesMax = BYTES_MAX } = {}) {
  const fileOf = (runId: string, step: string, attempt: number) => {
    if (!RUN_ID.test(runId) || !STEP.test(step) || !Number.isSafeInteger(attempt) || attempt < 1) {
      throw pipelineErrors.pipeline_unknown(`There is no log of ${step} in ${runId}.`)
    }
    return join(directory, runId, `${step}.${attempt}.log`)
  }
  return {
    /** Begins a log anew. */
    writer(runId: string, step: string, attempt: number): LogWriter {
      const file = fileOf(runId, step, attempt)
      mkdirSync(join(directory, runId), { recursive: true })
      const descriptor = openSync(file, 'w')
      let written = 0
      let left = 0
      return {
        write(text) {
          const bytes = typeof text === 'string' ? Buffer.from(text) : text
          const room = bytes.subarray(0, Math.max(0, bytesMax - written))
          written += room.length
          left += bytes.length - room.length
          if (room.length > 0 && !kept(descriptor, room)) left += room.length
        },
        close() {
          if (left > 0) kept(descriptor, `\n… ${left} bytes more were not kept\n`)
          closeSync(descriptor)
        },
      }
    },
    /** Part of a log from a byte on. Error: `pipeline_unknown`. */
    async read(runId: string, step: string, attempt: number, from = 0): Promise<LogPart> {
      const path = fileOf(runId, step, attempt)
      const file = await open(path, 'r').catch(() => {
        throw pipelineErrors.pipeline_unknown(
          `There is no log of attempt ${attempt} of ${step} in ${runId}.`,
        )
      })
      try {
        const { size } = await file.stat()
        const begin = Math.min(Math.max(0, from), size)
        const buffer = Buffer.alloc(Math.min(READ_MAX, size - begin))
        const { bytesRead } = await file.read(buffer, 0, buffer.length, begin)
        const whole = wholeCharacters(buffer.subarray(0, bytesRead), begin + bytesRead === size)
        return { text: whole.toString('utf8'), next: begin + whole.length, bytes: size }
      } finally {
        await file.close()
      }
    },
    /** Numbers of the attempts of a step that have a log. */
    async attempts(runId: string, step: string): Promise<number[]> {
      fileOf(runId, step, 1)
      const names = await readdir(join(directory, runId)).catch((): string[] => [])
      return names
        .flatMap((name) => {
          const [, of, number] = /^(.+)\.(\d+)\.log$/.exec(name) ?? []
          return of === step ? [Number(number)] : []
        })
        .toSorted((a, b) => a - b)
    },
  }
}

/** Whether it was written: a full disk costs the log, not the step that writes it. */
function kept(descriptor: number, content: string | Uint8Array): boolean {
  try {
    if (typeof content === 'string') writeSync(descriptor, content)
    else writeSync(descriptor, content)
    return true
  } catch {
    return false
  }
}

export type PipelineLogs = ReturnType<typeof openLogs>

/** Without the beginning of a character whose rest is still to come. */
function wholeCharacters(bytes: Buffer, atEnd: boolean): Buffer {
  if (atEnd) return bytes
  let end = bytes.length
  while (end > 0 && end > bytes.length - 4 && (bytes[end - 1] & 0xc0) === 0x80) end--
  const lead = bytes[end - 1] ?? 0
  const needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return bytes.length - (end - 1) >= needs ? bytes : bytes.subarray(0, end - 1)
}
