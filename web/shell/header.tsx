import {
  ActionIcon,
  Menu,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import {
  IconCalendar,
  IconCheck,
  IconChevronDown,
  IconMoon,
  IconSearch,
  IconSun,
  IconUserCircle,
} from '@tabler/icons-react'
import { call } from '../client/api.ts'
import { useView } from '../client/view.ts'
import { dateTime } from '../parts/figures.ts'
import { useBank } from './bank.ts'
import { openPalette } from './palette.tsx'
import { ReplayControls } from './replay-controls.tsx'

export function Header() {
  return (
    <header className="header">
      <button
        type="button"
        className="header-search"
        aria-label="Find anything Ctrl K"
        onClick={openPalette}
      >
        <IconSearch size={15} aria-hidden />
        <span>Find anything</span> <kbd>Ctrl K</kbd>
      </button>
      <div className="header-end">
        <ReplayControls />
        <RangePicker />
        <SchemeSwitch />
        <IdentityMenu />
      </div>
    </header>
  )
}

const ranges = [
  ['all', 'All time'],
  ['30d', 'Last 30 days'],
  ['7d', 'Last 7 days'],
  ['24h', 'Last 24 hours'],
  ['6h', 'Last 6 hours'],
  ['1h', 'Last hour'],
] as const

/** One time range for the page, in the bank's time zone. It is part of every address. */
function RangePicker() {
  const { view, change } = useView()
  const { clock } = useBank()
  const custom = view.from !== undefined || view.to !== undefined
  const chosen = ranges.find(([key]) => key === (view.last ?? 'all')) ?? ranges[0]
  const title = custom
    ? `${view.from === undefined ? 'start' : dateTime(view.from, clock.timeZone)} – ${
        view.to === undefined ? 'now' : dateTime(view.to, clock.timeZone)
      }`
    : chosen[1]
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <button
          type="button"
          className="header-button"
          aria-label={`Time range: ${title} ${clock.timeZone}`}
        >
          <IconCalendar size={15} aria-hidden />
          <span>{title}</span> <span className="quiet">{clock.timeZone}</span>
          <IconChevronDown size={13} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Event time, {clock.timeZone}</Menu.Label>
        {ranges.map(([key, name]) => (
          <Menu.Item
            key={key}
            rightSection={!custom && key === chosen[0] ? <IconCheck size={14} /> : null}
            onClick={() =>
              change({ last: key === 'all' ? undefined : key, from: undefined, to: undefined })
            }
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <form
          className="range-form"
          onSubmit={(event) => {
            event.preventDefault()
            const data = new FormData(event.currentTarget)
            const at = (name: string) => {
              const text = data.get(name)
              return typeof text === 'string' && text !== '' ? `${text}:00Z` : undefined
            }
            change({ last: undefined, from: at('from'), to: at('to') })
          }}
        >
          <label>
            From (UTC)
            <input type="datetime-local" name="from" defaultValue={view.from?.slice(0, 16)} />
          </label>
          <label>
            To (UTC)
            <input type="datetime-local" name="to" defaultValue={view.to?.slice(0, 16)} />
          </label>
          <button type="submit">Show this range</button>
        </form>
      </Menu.Dropdown>
    </Menu>
  )
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme()
  const dark = useComputedColorScheme() === 'dark'
  const title = dark ? 'Light colours' : 'Dark colours'
  return (
    <Tooltip label={title}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={title}
        className="header-icon"
        onClick={() => setColorScheme(dark ? 'light' : 'dark')}
      >
        {dark ? <IconSun size={17} stroke={1.7} /> : <IconMoon size={17} stroke={1.7} />}
      </ActionIcon>
    </Tooltip>
  )
}

function IdentityMenu() {
  const bank = useBank()
  const queries = useQueryClient()
  const name = bank.identity?.name ?? ''
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`Signed in as ${name}`}
          className="header-icon"
        >
          <IconUserCircle size={19} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {name} · {bank.roles.join(', ')}
        </Menu.Label>
        <Menu.Item
          onClick={() => {
            void call('signOut').then(() => queries.invalidateQueries({ queryKey: ['session'] }))
          }}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
