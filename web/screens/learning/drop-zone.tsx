import { IconFileUpload } from '@tabler/icons-react'
import { useEffect, useRef, useState, type DragEvent } from 'react'
import type { LearningFile } from '../../../src/server/contract/index.ts'
import { ProblemError } from '../../client/api.ts'
import { upload, type Uploading } from '../../client/upload.ts'
import { bytes, percent } from '../../parts/figures.ts'
import { Failed } from '../../parts/states.tsx'

const BYTES_MAX = 1024 ** 3

/** Takes one file, by dropping or by choosing. */
export function DropZone({
  onTaken,
  small = false,
}: {
  readonly onTaken: (file: LearningFile) => void
  readonly small?: boolean
}) {
  const [isOver, setIsOver] = useState(false)
  const [going, setGoing] = useState<{ file: File; share: number } | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const current = useRef<Uploading>(undefined)
  useEffect(() => () => current.current?.stop(), [])

  const take = (file: File | undefined) => {
    if (file === undefined || going !== null) return
    setProblem(null)
    if (file.size > BYTES_MAX) {
      setProblem(new ProblemError(tooLarge(file)))
      return
    }
    setGoing({ file, share: 0 })
    current.current = upload(file, (share) => setGoing({ file, share }))
    current.current.answer.then(onTaken, setProblem).finally(() => setGoing(null))
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setIsOver(false)
    take(event.dataTransfer.files[0])
  }
  const isStopped = problem instanceof DOMException
  return (
    <>
      <div
        className={`drop ${isOver ? 'is-over' : ''} ${small ? 'is-small' : ''}`}
        onDragOver={(event) => {
          event.preventDefault()
          setIsOver(true)
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={drop}
      >
        {going === null ? (
          <>
            <IconFileUpload size={small ? 18 : 30} stroke={1.4} aria-hidden />
            <p className="drop-title">
              {small ? 'A file to judge on' : 'Drop a CSV or Parquet file here'}
            </p>
            <label className="button-link drop-choose">
              Choose a file
              <input
                type="file"
                className="visually-hidden"
                accept=".csv,.tsv,.txt,.data,.gz,.parquet"
                onChange={(event) => {
                  take(event.target.files?.[0])
                  event.target.value = ''
                }}
              />
            </label>
            {small ? null : (
              <p className="quiet">
                CSV, gzip or Parquet, up to 1 GiB, with a row of names. It goes to this Assay and
                nowhere else; nothing is learnt until you say what.
              </p>
            )}
          </>
        ) : (
          <div className="drop-going" role="status">
            <p>
              <b>{going.file.name}</b> <span className="quiet">{bytes(going.file.size)}</span>
            </p>
            <progress value={going.share} max={1} aria-label="Uploaded" />
            <p className="quiet num">
              {going.share < 1 ? `${percent(going.share)} sent` : 'Reading its columns'}
            </p>
            <button type="button" className="text-button" onClick={() => current.current?.stop()}>
              Stop
            </button>
          </div>
        )}
      </div>
      {problem === null || isStopped ? null : <Failed error={problem} />}
    </>
  )
}

function tooLarge(file: File) {
  return {
    type: 'urn:assay:error:upload_too_large',
    title: 'The file is too large to be uploaded',
    status: 413,
    detail: `${file.name} has ${bytes(file.size)}; at most 1 GiB is taken.`,
    action: 'Send it as Parquet or gzip, or run `assay learn` on the machine itself.',
  }
}
