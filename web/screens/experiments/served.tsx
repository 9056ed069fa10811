/** Whether a model that a client logged can be served, why, and what makes it so. */
import type { Run } from '../../../src/server/contract/index.ts'

export function Served({ model }: { readonly model: Run['models'][number] }) {
  return (
    <>
      <p className={model.servable ? 'status-ok' : 'status-warning'}>
        Can be served: <b>{model.servable ? 'yes' : 'no'}</b>
      </p>
      <p>{model.why}</p>
      {model.fix === null ? null : (
        <figure className="written">
          <figcaption>What makes it so</figcaption>
          <pre className="json">{model.fix}</pre>
        </figure>
      )}
    </>
  )
}
