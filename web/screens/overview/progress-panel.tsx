import { useState } from 'react'
import {
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleXFilled,
  IconLoader2,
} from '@tabler/icons-react'
import type { ProgressStage } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { objectAddress } from '../../../src/server/contract/objects.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'

/** The stages of a pipeline that runs, with the terminal's own figures. Gone when it is done. */
export function ProgressPanel() {
  const [isGoing, setGoing] = useState(true)
  const answer = useAsk('progress', {}, { every: isGoing ? 1_000 : 5_000 })
  const progress = answer.data
  const rests = progress !== undefined && ['done', 'idle'].includes(progress.state)
  if (isGoing === rests) setGoing(!rests)
  if (progress === undefined || rests) return null
  return (
    <Panel
      title={progress.state === 'failed' ? 'The pipeline stopped' : 'Getting ready'}
      aside="This page can be left; the work goes on"
      className="progress-panel"
    >
      <ol className="progress">
        {progress.stages.map((stage) => (
          <Stage key={stage.id} stage={stage} />
        ))}
      </ol>
      {progress.problem === null ? null : <p role="alert">{progress.problem}</p>}
    </Panel>
  )
}

const icons = {
  done: IconCircleCheckFilled,
  running: IconLoader2,
  waiting: IconCircleDashed,
  failed: IconCircleXFilled,
}
const words = { done: 'Done', running: 'Running', waiting: 'Waiting', failed: 'Failed' }

function Stage({ stage }: { readonly stage: ProgressStage }) {
  const Icon = icons[stage.state]
  return (
    <li className={`progress-${stage.state}`}>
      <Icon size={16} aria-hidden />
      <span className="visually-hidden">{words[stage.state]}: </span>
      <b>
        {stage.target === null ? (
          stage.title
        ) : (
          <PageLink to={objectAddress(stage.target)}>{stage.title}</PageLink>
        )}
      </b>
      <span className="quiet">{stage.figure ?? ''}</span>
      {stage.fraction === null ? null : (
        <progress value={stage.fraction} aria-label={stage.title}>
          {Math.round(stage.fraction * 100)} %
        </progress>
      )}
    </li>
  )
}
