// A model of another server as commands name it: by its address.
import type { ServedBody } from '../../serving/index.ts'
import { commandErrors } from './errors.ts'

export function isModelUrl(named: string): boolean {
  return /^https?:\/\//.test(named)
}

/** `http://host:8080/v2/models/churn/versions/3`. Error: `option_invalid`. */
export function remoteBody(url: string): Extract<ServedBody, { kind: 'remote' }> {
  const parts = /^(.*?)\/v2\/models\/([^/?#]+)(?:\/versions\/([^/?#]+))?\/?$/.exec(url)
  if (parts === null) {
    throw commandErrors.option_invalid(`${url} is no address such as http://host/v2/models/churn.`)
  }
  const [, base, model, number] = parts
  return {
    kind: 'remote',
    url: base,
    model: decodeURIComponent(model),
    ...(number !== undefined && { version: decodeURIComponent(number) }),
  }
}
