import type { Feature } from '../../../src/server/contract/index.ts'
import { Facts, Folded, Hash, Panel } from '../../parts/layout.tsx'

/** As its author wrote it where the project’s files are known, else in words; and what it means. */
export function Declaration({ feature }: { readonly feature: Feature }) {
  const { written } = feature
  return (
    <Panel
      title="Declaration"
      aside={
        <>
          version <Hash hash={feature.version} />
        </>
      }
      flush
    >
      <div className="panel-line">
        {written === null ? (
          <pre className="declaration">{feature.expression}</pre>
        ) : (
          <Written written={written} />
        )}
        <Facts facts={factsOf(feature)} />
      </div>
      {written === null ? null : (
        <Folded title="In words, as it was compiled">
          <p>{feature.expression}</p>
        </Folded>
      )}
      <Folded title="As JSON, of which the version is the hash">
        <pre className="json">{feature.compiled}</pre>
      </Folded>
    </Panel>
  )
}

/** Numbered lines, with a gap where the file goes on without this feature. */
function Written({ written }: { readonly written: NonNullable<Feature['written']> }) {
  return (
    <figure className="written">
      <figcaption>
        <code>{written.file}</code>, as written
      </figcaption>
      <div className="written-code" tabIndex={0} role="region" aria-label="Declaration as written">
        {written.parts.map(({ line, text }) => (
          <ol key={line} start={line}>
            {text.split('\n').map((one, i) => (
              <li key={line + i} value={line + i}>
                <code>{one === '' ? ' ' : one}</code>
              </li>
            ))}
          </ol>
        ))}
      </div>
    </figure>
  )
}

function factsOf(feature: Feature) {
  const { reason } = feature
  return [
    { name: 'Owner', value: feature.owner },
    { name: 'Entity', value: feature.entity ?? 'the event itself' },
    { name: 'Window', value: feature.window ?? 'none: it looks at the event alone' },
    { name: 'Unit', value: unitWords[feature.unit ?? ''] ?? feature.unit },
    { name: 'When empty', value: feature.onMissing },
    {
      name: 'As a reason',
      value:
        reason === null ? (
          <span className="quiet">no words of its own; the description is said with the value</span>
        ) : (
          <>
            “{reason.sentence}” <span className="quiet">for {reason.forValue}</span>
          </>
        ),
    },
    reason?.zero == null ? null : { name: 'When zero', value: `“${reason.zero}”` },
    reason?.missing == null ? null : { name: 'When missing', value: `“${reason.missing}”` },
    {
      name: 'Feature set',
      value: (
        <>
          {feature.set}, version <Hash hash={feature.setVersion} />
        </>
      ),
    },
  ]
}

const unitWords: Readonly<Record<string, string>> = {
  '': 'none: a count, a number, or yes and no',
  '%': 'a share, shown in per cent',
  s: 'seconds',
}
