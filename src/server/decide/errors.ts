import { defineErrors } from '../../lib/errors.ts'

export const doorErrors = defineErrors({
  host_refused: {
    status: 403,
    title: 'The request names a host that this server does not answer for',
    action:
      'Use the address that the terminal shows, or name the host with --host or --allowed-hosts.',
  },
  cross_site_refused: {
    status: 403,
    title: 'The request comes from another site',
    action: 'Use the page of this server, or a key instead of the session cookie.',
  },
  operation_unknown: {
    status: 404,
    title: 'There is no such operation',
    action: 'Look the address up in /api/v1/openapi.json.',
  },
  page_unavailable: {
    status: 503,
    title: 'This part of Assay is not answering',
    action: 'Try again in a moment; decisions and events are answered meanwhile.',
  },
  not_loopback: {
    status: 400,
    title: 'A server that is open to everybody stays on this machine',
    action:
      'Leave --host out, or give a loopback address; to let others in, start without --ephemeral and give them keys.',
  },
  port_in_use: {
    status: 409,
    title: 'The port is in use',
    action: 'Stop the other process, or choose another port with --port.',
  },
  address_unavailable: {
    status: 409,
    title: 'The address cannot be listened on',
    action: 'Choose an address of this machine with --host, and a port above 1023 with --port.',
  },
})
