// Where a webhook may point. A server that posts wherever it is told can be used to reach what only
// it can reach (SSRF): so addresses outside the public internet are refused, by their numbers and
// at the moment of connecting, when names have been resolved.
import { BlockList, isIP } from 'node:net'
import { webhookErrors } from './errors.ts'

export interface AddressPolicy {
  /** Whether addresses of private networks may be called, for receivers inside the bank. */
  readonly allowPrivate: boolean
}

/** IANA's special-purpose registry (RFC 6890 and what was added since), and multicast. */
const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** Within 2000::/3, which alone is global: Teredo and other protocols, documentation, 6to4. */
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const global6 = listOf(['2000::/3'])
const special = listOf([...special4, ...special6])
const loopback = listOf(['127.0.0.0/8', '::1/128'])
/** What a bank's own network uses (RFC 1918, RFC 6598, RFC 4193); link-local is never allowed. */
const privateNetworks = listOf([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
])

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network, bits] = range.split('/')
    list.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}

/** Whether a connection to this address is allowed for a host of the given name. */
export function mayConnect(
  address: string,
  host: string,
  { allowPrivate }: AddressPolicy,
): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (isIP(address) === 0) return false
  if (isLoopbackHost(host)) return loopback.check(address, family)
  if (allowPrivate && privateNetworks.check(address, family)) return true
  if (special.check(address, family)) return false
  return family === 'ipv4' || global6.check(address, family)
}

/** The parsed address of a webhook: https, or http to this machine. Error: `webhook_invalid`. */
export function checkedUrl(text: string, policy: AddressPolicy): URL {
  const url = URL.parse(text)
  if (url === null || text.length > 2000) {
    throw webhookErrors.webhook_invalid(`"${text.slice(0, 200)}" is no URL of a webhook.`)
  }
  const { protocol, username, password } = url
  const host = hostOf(url)
  if (username !== '' || password !== '') {
    throw webhookErrors.webhook_invalid(
      'A name or password in the URL would be shown; leave it out.',
    )
  }
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopbackHost(host))) {
    throw webhookErrors.webhook_invalid(`${url.origin} is neither https nor http on this machine.`)
  }
  if (isIP(host) !== 0 && !mayConnect(host, host, policy)) {
    throw webhookErrors.webhook_invalid(`${host} is not a public address.`)
  }
  return url
}

/** The host without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** Whether a host, without brackets, is this machine by its name or address. */
export function isLoopbackHost(host: string): boolean {
  if (isIP(host) !== 0) return loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
  return host === 'localhost' || host.endsWith('.localhost')
}
