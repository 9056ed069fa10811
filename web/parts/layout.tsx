import { Link } from '@tanstack/react-router'
import { Fragment, type ReactNode } from 'react'
import { objectAddress } from '../../src/server/contract/objects.ts'
import type { ObjectRef, Verdict } from '../../src/server/contract/index.ts'
import { shortHash } from './figures.ts'
import { VerdictLine } from './verdict.tsx'

/** The head of a screen: its one h1, a verdict, and what can be done here. */
export function ScreenHead({
  title,
  above,
  verdict,
  note,
  actions,
}: {
  readonly title: ReactNode
  readonly above?: ReactNode
  readonly verdict?: Verdict
  readonly note?: ReactNode
  readonly actions?: ReactNode
}) {
  return (
    <header className="screen-head">
      <div className="screen-head-text">
        {above === undefined ? null : <div className="screen-above">{above}</div>}
        <h1>{title}</h1>
        {verdict === undefined ? null : (
          <p className="screen-verdict">
            <VerdictLine verdict={verdict} />
          </p>
        )}
        {note === undefined ? null : <p className="screen-note">{note}</p>}
      </div>
      {actions === undefined ? null : <div className="screen-actions">{actions}</div>}
    </header>
  )
}

/** A titled part of a screen on its own surface. */
export function Panel({
  title,
  aside,
  children,
  flush = false,
  className = '',
}: {
  readonly title?: ReactNode
  readonly aside?: ReactNode
  readonly children: ReactNode
  /** No padding inside: for tables that reach the edges. */
  readonly flush?: boolean
  readonly className?: string
}) {
  return (
    <section className={`panel ${flush ? 'panel-flush' : ''} ${className}`}>
      {title === undefined ? null : (
        <header className="panel-head">
          <h2>{title}</h2>
          {aside === undefined ? null : <div className="panel-aside">{aside}</div>}
        </header>
      )}
      <div className="panel-body">{children}</div>
    </section>
  )
}

export interface Fact {
  readonly name: string
  readonly value: ReactNode
}

export function Facts({ facts }: { readonly facts: readonly (Fact | null)[] }) {
  return (
    <dl className="facts">
      {facts.map((fact) =>
        fact === null ? null : (
          <div key={fact.name}>
            <dt>{fact.name}</dt>
            <dd>{fact.value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

/** A link to an object's one address. */
export function ObjectLink({
  target,
  children,
}: {
  readonly target: Pick<ObjectRef, 'kind' | 'id' | 'title'>
  readonly children?: ReactNode
}) {
  return <PageLink to={objectAddress(target)}>{children ?? target.title}</PageLink>
}

/** Links side by side; says so where there are more than these. */
export function ObjectLinks({
  label,
  targets,
  more,
  children,
}: {
  readonly label?: string
  readonly targets: readonly ObjectRef[]
  readonly more: boolean
  readonly children?: ReactNode
}) {
  return (
    <span className="links">
      {label}
      {targets.map((target) => (
        <ObjectLink key={`${target.kind}/${target.id}`} target={target} />
      ))}
      {more ? <span className="quiet">and more</span> : null}
      {children}
    </span>
  )
}

/** To the graph of what a thing came from and led to; the id as the server's lineage takes it. */
export function LineageLink({
  kind,
  id,
}: {
  readonly kind: 'run' | 'version' | 'snapshot' | 'decision'
  readonly id: string
}) {
  return <PageLink to={`/lineage?kind=${kind}&id=${encodeURIComponent(id)}`}>Lineage</PageLink>
}

/** A link inside the page, from a whole address with its search. */
export function PageLink({
  to,
  children,
  className,
  ...rest
}: {
  readonly to: string
  readonly children: ReactNode
  readonly className?: string
  readonly title?: string
  readonly 'aria-label'?: string
  readonly 'aria-current'?: 'page'
}) {
  const [path = '/', search = ''] = to.split('?')
  return (
    <Link
      to={path}
      search={Object.fromEntries(new URLSearchParams(search))}
      // What lies above an address is not the current page.
      activeOptions={{ exact: true, includeSearch: false }}
      {...(className === undefined ? {} : { className })}
      {...rest}
    >
      {children}
    </Link>
  )
}

export function Hash({ hash }: { readonly hash: string }) {
  return (
    <code className="hash" title={hash}>
      {/^[0-9a-f]{16,}$/.test(hash) ? shortHash(hash) : hash}
    </code>
  )
}

/** A long name of code, which breaks after an underscore where it must. */
export function LongName({ name }: { readonly name: string }) {
  return (
    <span className="long-name">
      {name.split(/(?<=_)/).map((part, i) => (
        <Fragment key={i}>
          {i === 0 ? null : <wbr />}
          {part}
        </Fragment>
      ))}
    </span>
  )
}

/** A part that is closed at first. `open` is told to the address by the caller where it matters. */
export function Folded({
  title,
  children,
  startOpen = false,
}: {
  readonly title: ReactNode
  readonly children: ReactNode
  readonly startOpen?: boolean
}) {
  return (
    <details className="folded" open={startOpen}>
      <summary>{title}</summary>
      <div className="folded-body">{children}</div>
    </details>
  )
}
