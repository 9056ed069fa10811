/** The files of a run, folder by folder, with a look into those that can be looked into. */
import { IconFile, IconFolder, IconFolderOpen } from '@tabler/icons-react'
import { useState } from 'react'
import type { RunFiles, RunPreview } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { bytes } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'

export function RunFilesPanel({ runId }: { readonly runId: string }) {
  const { view, change } = useView()
  const answer = useAsk('runFiles', { params: { runId }, query: {} })
  const open = (path: string) => change({ file: path === view.file ? undefined : path })
  return (
    <Panel title="Files" flush>
      <Answered answer={answer} rows={3}>
        {({ items, more }) =>
          items.length === 0 ? (
            <Empty title="This run kept no files" />
          ) : (
            <div className="files">
              <ul className="files-tree" aria-label="Files">
                {items.map((item) => (
                  <Entry key={item.path} runId={runId} item={item} chosen={view.file} open={open} />
                ))}
                {more ? (
                  <li className="quiet">There are more; the client lists them all.</li>
                ) : null}
              </ul>
              <div className="files-preview">
                {view.file === undefined ? (
                  <p className="quiet">Choose a file to look into it.</p>
                ) : (
                  <Preview runId={runId} path={view.file} />
                )}
              </div>
            </div>
          )
        }
      </Answered>
    </Panel>
  )
}

interface EntryProps {
  readonly runId: string
  readonly item: RunFiles['items'][number]
  readonly chosen: string | undefined
  readonly open: (path: string) => void
}

function Entry({ runId, item, chosen, open }: EntryProps) {
  const [unfolded, setUnfolded] = useState(chosen?.startsWith(`${item.path}/`) ?? false)
  if (item.isFolder) {
    return (
      <li>
        <button
          type="button"
          className="files-line"
          aria-expanded={unfolded}
          onClick={() => setUnfolded(!unfolded)}
        >
          {unfolded ? (
            <IconFolderOpen size={15} aria-hidden />
          ) : (
            <IconFolder size={15} aria-hidden />
          )}
          <span className="files-name">{item.name}</span>
        </button>
        {unfolded ? <Inside runId={runId} folder={item.path} chosen={chosen} open={open} /> : null}
      </li>
    )
  }
  return (
    <li>
      <button
        type="button"
        className={`files-line ${chosen === item.path ? 'is-here' : ''}`}
        aria-pressed={chosen === item.path}
        onClick={() => open(item.path)}
      >
        <IconFile size={15} aria-hidden />
        <span className="files-name">{item.name}</span>
        <span className="quiet num">{item.bytes === null ? '' : bytes(item.bytes)}</span>
      </button>
    </li>
  )
}

function Inside({
  runId,
  folder,
  chosen,
  open,
}: Omit<EntryProps, 'item'> & { readonly folder: string }) {
  const answer = useAsk('runFiles', { params: { runId }, query: { folder } })
  return (
    <Answered answer={answer} rows={1}>
      {({ items }) => (
        <ul>
          {items.map((item) => (
            <Entry key={item.path} runId={runId} item={item} chosen={chosen} open={open} />
          ))}
        </ul>
      )}
    </Answered>
  )
}

function Preview({ runId, path }: { readonly runId: string; readonly path: string }) {
  const answer = useAsk('runPreview', { params: { runId }, query: { path } })
  return (
    <Answered answer={answer} rows={4}>
      {(data) => (
        <>
          <p className="files-head">
            <b>{data.path}</b>
            <span className="quiet num">{bytes(data.bytes)}</span>
            <a href={data.href} download>
              Download
            </a>
          </p>
          <Content data={data} />
          {data.note === null ? null : <p className="chart-note">{data.note}</p>}
        </>
      )}
    </Answered>
  )
}

/** Text is shown as text, whatever it claims to be; an image only ever as an image. */
function Content({ data }: { readonly data: RunPreview }) {
  if (data.kind === 'image') {
    return <img className="files-image" src={data.href} alt={data.path} />
  }
  if (data.kind === 'csv') {
    return (
      <SmallTable
        label={data.path}
        head={data.head.map((title) => ({ title }))}
        rows={data.rows.map((cells, i) => ({ key: String(i), cells }))}
      />
    )
  }
  if (data.text === null) return null
  return (
    <pre className="json files-text" tabIndex={0} aria-label={data.path}>
      {data.text}
    </pre>
  )
}
