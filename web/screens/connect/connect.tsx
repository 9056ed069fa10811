/** How a program that speaks MLflow logs to this Assay: two variables, and a first run to wait for. */
import { useRef } from 'react'
import { useAct, useAsk } from '../../client/queries.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notifyFailed } from '../../parts/notify.tsx'
import { Answered, Command } from '../../parts/states.tsx'
import { useBank } from '../../shell/bank.ts'

const snippet = `import mlflow

mlflow.set_experiment("first-steps")
with mlflow.start_run():
    mlflow.log_param("depth", 6)
    for step in range(10):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)`

export default function ConnectScreen() {
  const bank = useBank()
  const address = window.location.origin
  return (
    <>
      <ScreenHead
        above={<PageLink to="/experiments">Experiments</PageLink>}
        title="Connect a client"
        note="The unchanged MLflow client logs here: runs, models and files from Python, R, Java or anything that speaks its protocol. Set two variables where it runs."
      />
      <div className="stack connect">
        <Panel title="1. Where it logs to">
          <Command text={`export MLFLOW_TRACKING_URI=${address}`} />
          {bank.ephemeral === true ? (
            <p className="chart-note">
              That is all: this Assay keeps nothing and asks for no key. It is for tests only.
            </p>
          ) : null}
        </Panel>
        {bank.ephemeral === true ? null : (
          <Panel title="2. Who it logs as">
            <KeyPart />
          </Panel>
        )}
        <Panel title={bank.ephemeral === true ? '2. A first run' : '3. A first run'}>
          <Command text="pip install mlflow" />
          <figure className="written connect-code">
            <figcaption>Python</figcaption>
            <pre className="json">{snippet}</pre>
          </figure>
          <FirstRun />
        </Panel>
        <Panel title="What works">
          <p>
            Tracking, autologging, the model registry, files and large uploads work as against
            MLflow's own server; the links that the client prints open here. Models that are data
            (XGBoost, LightGBM, ONNX) can be registered and score tables. Pickles are stored and
            never loaded: a run's page says which of its models can be served, why, and what to
            change.
          </p>
        </Panel>
      </div>
    </>
  )
}

/** Administrators make a key here; all others are told whom or what to ask. */
function KeyPart() {
  const bank = useBank()
  const make = useAct('createProgramKey', [])
  const mayMake = bank.roles.includes('administrator')
  const key = make.data?.key
  const onlyAsks = make.variables?.body?.role === 'caller'
  const variable = key !== undefined && onlyAsks ? 'ASSAY_KEY' : 'MLFLOW_TRACKING_TOKEN'
  return (
    <>
      <Command text={`export ${variable}=${key ?? 'ak_…'}`} />
      {key === undefined ? (
        <p className="chart-note">A key for the program that logs. On the machine of this Assay:</p>
      ) : (
        <p className="chart-note" role="status">
          The key of {make.data?.name}, shown this once. Keep it where secrets are kept, not in the
          code. {onlyAsks ? 'It asks for decisions and predictions, and opens nothing else.' : ''}
        </p>
      )}
      <Command text={'npx assay keys create --program --role analyst --name "my notebook"'} />
      {mayMake && key === undefined ? (
        <form
          className="connect-key"
          onSubmit={(event) => {
            event.preventDefault()
            const form = new FormData(event.currentTarget)
            const given = form.get('name')
            const name = typeof given === 'string' ? given.trim() : ''
            const role = form.get('role') === 'caller' ? 'caller' : 'analyst'
            if (name !== '') make.mutate({ body: { name, role } }, { onError: notifyFailed })
          }}
        >
          <label>
            or here, as an administrator, for{' '}
            <input
              className="filter-input"
              name="name"
              aria-label="Name of the program"
              defaultValue="My notebook"
              maxLength={100}
              required
            />
          </label>
          <label>
            which may{' '}
            <select className="filter-input" name="role" defaultValue="analyst">
              <option value="analyst">log runs and work as an analyst</option>
              <option value="caller">only ask for decisions and predictions</option>
            </select>
          </label>
          <button type="submit" className="button-link" disabled={make.isPending}>
            Make a key
          </button>
        </form>
      ) : null}
      {mayMake ? null : (
        <p className="chart-note">Or ask an administrator, who can make one on this page.</p>
      )}
    </>
  )
}

/** Waits until a run arrives that was not there when the page was opened. */
function FirstRun() {
  const answer = useAsk('runs', { query: { limit: 1, columns: 'none' } }, { every: 2_000 })
  const before = useRef<string | null | undefined>(undefined)
  return (
    <Answered answer={answer} rows={1}>
      {({ items }) => {
        const newest = items[0]
        if (before.current === undefined) before.current = newest?.id ?? null
        if (newest === undefined || newest.id === before.current) {
          return (
            <p className="waiting" role="status">
              <span className="waiting-dot" aria-hidden /> Waiting for{' '}
              {newest === undefined ? 'your first' : 'a new'} run…
            </p>
          )
        }
        return (
          <p className="waiting is-there" role="status">
            It arrived: <PageLink to={`/experiments/${newest.id}`}>{newest.name}</PageLink> in{' '}
            {newest.experiment}.
          </p>
        )
      }}
    </Answered>
  )
}
