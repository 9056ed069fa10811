import { Menu } from '@mantine/core'
import {
  IconCheck,
  IconChevronDown,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipForwardFilled,
  IconRefresh,
} from '@tabler/icons-react'
import type { Replay, ReplayCommand } from '../../src/server/contract/index.ts'
import { useAct, useAsk } from '../client/queries.ts'
import { notifyFailed } from '../parts/notify.tsx'
import { count, dateTime } from '../parts/figures.ts'
import { useBank, useTimeZone } from './bank.ts'

const speeds = { '60': '60×', '600': '600×', max: 'as fast as it goes' } as const

/** The badge of a time that is not today's, and the means to steer it. */
export function ReplayControls() {
  const { clock } = useBank()
  const zone = useTimeZone()
  const answer = useAsk('replay', {}, { every: 1_000 })
  const act = useAct('commandReplay', ['replay', 'overview', 'decisions', 'session'])
  const replay = answer.data
  if (replay === undefined || replay.state === 'none') {
    return clock.kind === 'live' ? null : <span className="time-badge">Simulated</span>
  }
  const tell = (command: ReplayCommand) => act.mutate({ body: command }, { onError: notifyFailed })
  const playing = replay.state === 'playing'
  const ended = replay.state === 'finished'
  return (
    <div className="replay" role="group" aria-label="Replay">
      <button
        type="button"
        className="replay-play"
        aria-label={ended ? 'Play again' : playing ? 'Pause the replay' : 'Go on with the replay'}
        onClick={() => tell({ action: ended ? 'again' : playing ? 'pause' : 'play' })}
      >
        {ended ? (
          <IconRefresh size={14} />
        ) : playing ? (
          <IconPlayerPauseFilled size={14} />
        ) : (
          <IconPlayerPlayFilled size={14} />
        )}
      </button>
      <Menu position="bottom-end" width={270}>
        <Menu.Target>
          <button type="button" className="replay-time" title={replay.sentence}>
            <span className="replay-word">{ended ? 'replayed' : 'replay'}</span>
            <span>{dateTime(replay.simulatedNow, zone)}</span>
            <span className="quiet replay-speed">
              {replay.speed === 'max' ? 'max' : `${replay.speed}×`}
            </span>
            <IconChevronDown size={13} aria-hidden />
          </button>
        </Menu.Target>
        <ReplayMenu replay={replay} zone={zone} tell={tell} />
      </Menu>
      <span className="replay-progress" style={{ width: `${replay.progress * 100}%` }} />
    </div>
  )
}

function ReplayMenu({
  replay,
  zone,
  tell,
}: {
  readonly replay: Replay
  readonly zone: string
  readonly tell: (command: ReplayCommand) => void
}) {
  const now = replay.simulatedNow
  const seen =
    now !== null &&
    replay.firstLabelsAt !== null &&
    Date.parse(now) >= Date.parse(replay.firstLabelsAt)
  return (
    <Menu.Dropdown>
      <Menu.Label>
        {dateTime(replay.from, zone)} to {dateTime(replay.to, zone)} · {count(replay.decisions)}{' '}
        decisions, {count(replay.labels)} labels
      </Menu.Label>
      {(['60', '600', 'max'] as const).map((speed) => (
        <Menu.Item
          key={speed}
          rightSection={replay.speed === speed ? <IconCheck size={14} /> : null}
          onClick={() => tell({ action: 'speed', speed })}
        >
          Speed {speeds[speed]}
        </Menu.Item>
      ))}
      <Menu.Divider />
      <Menu.Item
        leftSection={<IconPlayerSkipForwardFilled size={14} />}
        disabled={seen}
        onClick={() => tell({ action: 'jump-to-first-labels' })}
      >
        Jump to the first labels
      </Menu.Item>
      <Menu.Item leftSection={<IconRefresh size={14} />} onClick={() => tell({ action: 'again' })}>
        Play again, in a namespace of its own
      </Menu.Item>
    </Menu.Dropdown>
  )
}
