/** The frame of every screen: who is here, where one can go, what time the bank has. */
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useRouterState } from '@tanstack/react-router'
import { IconMenu2, IconX } from '@tabler/icons-react'
import { useEffect, useState, type ReactNode } from 'react'
import { useAsk } from '../client/queries.ts'
import { Failed, Loading } from '../parts/states.tsx'
import { BankContext } from './bank.ts'
import { Header } from './header.tsx'
import { Navigation } from './navigation.tsx'
import { Palette } from './palette.tsx'
import { Shortcuts } from './shortcuts.tsx'
import { SignIn } from './sign-in.tsx'

export function Shell({ children }: { readonly children: ReactNode }) {
  const session = useAsk('session', {}, { every: 15_000, staleTime: 10_000 })
  const queries = useQueryClient()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const [menuOpen, setMenuOpen] = useState(false)
  useEffect(() => setMenuOpen(false), [path])
  useTitle(path, session.data?.project.title)
  const navigate = useNavigate()
  const arrived =
    path === '/sign-in' && session.data !== undefined && session.data.identity !== null
  useEffect(() => {
    if (arrived) void navigate({ to: '/', replace: true })
  }, [arrived, navigate])

  if (session.data === undefined) {
    return session.isError ? (
      <main className="sign-in">
        <div className="sign-in-card">
          <img src="/hallmark.svg" alt="" width={36} height={36} />
          <h1>Assay</h1>
          <Failed error={session.error} again={() => void session.refetch()} />
        </div>
      </main>
    ) : (
      <Loading />
    )
  }
  if (session.data.identity === null) {
    return (
      <SignIn project={session.data.project.title} onDone={() => void queries.resetQueries()} />
    )
  }
  return (
    <BankContext value={session.data}>
      <a className="skip-link" href="#screen">
        Skip to the content
      </a>
      <div className={`shell ${menuOpen ? 'menu-open' : ''}`}>
        <button
          type="button"
          className="menu-button"
          aria-expanded={menuOpen}
          aria-controls="navigation"
          onClick={() => setMenuOpen(!menuOpen)}
        >
          {menuOpen ? <IconX size={19} /> : <IconMenu2 size={19} />}
          <span className="visually-hidden">Menu</span>
        </button>
        <Navigation path={path} />
        <div className="shell-main">
          {session.data.ephemeral === true ? <EphemeralBanner /> : null}
          <Header />
          <main id="screen" tabIndex={-1}>
            {children}
          </main>
        </div>
      </div>
      <Palette />
      <Shortcuts />
    </BankContext>
  )
}

/** On every screen: what is done here is lost, and anybody on this machine may do it. */
function EphemeralBanner() {
  return (
    <p className="ephemeral" role="alert">
      <b>Ephemeral.</b> Nothing is kept: everything is lost when this server stops. Anyone on this
      machine may read and change it without a key. For tests only.
    </p>
  )
}

function useTitle(path: string, project: string | undefined) {
  useEffect(() => {
    const [, screen = '', ...rest] = path.split('/').map(decodeURIComponent)
    const name = screen === '' ? 'Overview' : screen.charAt(0).toUpperCase() + screen.slice(1)
    document.title = [rest.at(-1), name, project, 'Assay'].filter(Boolean).join(' · ')
  }, [path, project])
}
