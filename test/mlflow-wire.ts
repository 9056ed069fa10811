// Requests of MLflow's client and what the server answered, written down and played again. What the
// server makes up (ids, names, page tokens) is masked by the order in which it appears first, so that
// a session can be replayed against another server and its answers compared.

/** One request and its answer. */
export interface Exchange {
  readonly method: string
  readonly url: string
  /** Undefined where there is none; of a file that is no short text, its length alone. */
  readonly sent?: Body
  readonly type?: string
  readonly status: number
  readonly answer: Body
}

export type Body =
  | { readonly json: unknown }
  | { readonly text: string }
  | { readonly bytes: number }

const MADE_UP =
  /(?:run|experiment|webhook)_[0-9a-hjkmnp-tv-z]{26}|\bm-[0-9a-f]{32}\b|\b[a-z]+-[a-z]+-\d{1,3}\b(?=")/g

/** Masks what one server makes up, and puts it back into what is sent to it. */
export function createMask() {
  const masks = new Map<string, string>()
  const values = new Map<string, string>()

  function maskOf(value: string, kind: string): string {
    const known = masks.get(value)
    if (known !== undefined) return known
    const mask = `<${kind}-${masks.size + 1}>`
    masks.set(value, mask)
    values.set(mask, value)
    return mask
  }

  const masked = (text: string) => {
    for (const [, token] of text.matchAll(/"next_page_token":"([^"]+)"/g)) maskOf(token, 'token')
    return known(text.replaceAll(MADE_UP, (value) => maskOf(value, kindOf(value))))
  }

  /** What was masked before, wherever it stands. */
  function known(text: string): string {
    let result = text
    for (const [value, mask] of masks) result = result.replaceAll(value, mask)
    return result
  }

  return {
    /** An answer as text, with everything made up masked. */
    answer: masked,
    /** A request as text, with what answers made up before masked. */
    request: known,
    /** A masked request as it is sent to this server. */
    unmask: (text: string) => text.replaceAll(/<[a-z]+-\d+>/g, (mask) => values.get(mask) ?? mask),
  }
}

function kindOf(value: string): string {
  if (value.startsWith('m-')) return 'model'
  return /^(run|experiment|webhook)_/.exec(value)?.[1] ?? 'name'
}

const TEXT_BYTES_MAX = 2000

/** How a body is written down; files stay as they are, byte by byte. */
export function bodyOf(
  bytes: Uint8Array,
  kind: 'message' | 'file',
  mask: (text: string) => string,
): Body | undefined {
  if (bytes.length === 0) return undefined
  const text = new TextDecoder().decode(bytes)
  if (kind === 'message' && /^[[{]/.test(text)) return { json: JSON.parse(mask(text)) as unknown }
  const isText = bytes.length <= TEXT_BYTES_MAX && /^[\t\n\r\x20-\x7e\u00a0-\ufffc]*$/.test(text)
  return isText ? { text: mask(text) } : { bytes: bytes.length }
}

/** Below this address bodies are files, but for lists of them. */
export function kindOfBody(url: string): 'message' | 'file' {
  return /\/mlflow-artifacts\/artifacts\//.test(url) ? 'file' : 'message'
}

/** The bytes that a written-down body stands for. */
export function bytesOf(body: Body | undefined, unmask: (text: string) => string): Buffer {
  if (body === undefined) return Buffer.alloc(0)
  if ('bytes' in body) return Buffer.alloc(body.bytes)
  return Buffer.from(unmask('text' in body ? body.text : JSON.stringify(body.json)))
}
