/**
 * Clients of MLflow print links into its own page, which lives behind a hash. The same links open
 * the screens here.
 */
const forms: readonly (readonly [RegExp, (...ids: string[]) => string])[] = [
  [/^#\/experiments\/[^/?]+\/runs\/([^/?]+)/, (run) => `/experiments/${run}`],

  [/^#\/experiments\/([^/?]+)/, (experiment) => `/experiments?experiment=${experiment}`],
  [/^#\/models\/([^/?]+)\/versions\/([^/?]+)/, (name, version) => `/models/${name}/${version}`],
  [/^#\/models\/([^/?]+)/, (name) => `/models/${name}`],
  [/^#\/(?:experiments\/?)?$/, () => '/experiments'],
]

/** The address of a printed link's hash; undefined where it is none. Ids stay encoded as they are. */
export function addressOfClientLink(hash: string): string | undefined {
  for (const [form, address] of forms) {
    const found = form.exec(hash)
    if (found !== null) return address(...found.slice(1))
  }
  return undefined
}

/** Puts the page's own address in the place of a printed link's; whether there was one. */
export function followClientLink(): boolean {
  const address = addressOfClientLink(window.location.hash)
  if (address === undefined) return false
  window.history.replaceState(null, '', address)
  return true
}
