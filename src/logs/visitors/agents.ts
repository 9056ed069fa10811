// Who asks: a person's browser on which kind of device, or a program that says so.
import type { Device } from './types.ts'

/** Names of programs, and what programs call themselves. Not complete: behaviour tells others. */
const BOT =
  /bot\b|bot[/_ -]|crawl|spider|slurp|scrap|feed(?:fetcher|parser|burner|ly|bin|wrangler|reader)|\brss\b|reader\/|curl\/|wget|python|\bjava\/|perl|ruby|php\/|go-http|okhttp|httpclient|http[-_]client|libwww|lwp|axios|node-fetch|aiohttp|winhttp|headless|phantomjs|selenium|puppeteer|playwright|monitor|pingdom|uptime|nagios|zabbix|check_http|scan|nikto|sqlmap|masscan|nmap|archiver|facebookexternalhit|embedly|preview|validator|fetch|mediapartners|apis-google|yandex(?:images|direct)|baidu|\+http:\/\//i
/** Tablets before telephones: many of their names hold both. */
const TABLET = /ipad|tablet|kindle|silk\/|playbook|nexus (?:7|9|10)|android(?!.*mobile)/i
const MOBILE = /mobi|iphone|ipod|android|blackberry|opera mini|windows phone|symbian|series60/i
const TELEVISION = /smart-?tv|googletv|appletv|hbbtv|netcast|roku|bravia/i
const DESKTOP = /windows|macintosh|linux|x11|cros |freebsd|openbsd/i

const REMEMBERED_MAX = 10_000

/** Tells the devices of user agents; remembers those of late, because few agents make most lines. */
export function createDevices(): (agent: string | undefined) => Device {
  const remembered = new Map<string, Device>()
  return (agent) => {
    if (agent === undefined) return 'other'
    const known = remembered.get(agent)
    if (known !== undefined) return known
    const device = deviceOf(agent)
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.set(agent, device)
    return device
  }
}

function deviceOf(agent: string): Device {
  if (BOT.test(agent)) return 'bot'
  if (TELEVISION.test(agent)) return 'television'
  if (TABLET.test(agent)) return 'tablet'
  if (MOBILE.test(agent)) return 'mobile'
  return DESKTOP.test(agent) ? 'desktop' : 'other'
}
