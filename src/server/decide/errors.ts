import { defineErrors } from '../../lib/errors.ts'

export const doorErrors = defineErrors({
  media_type_unsupported: {
    status: 415,
    title: 'The body is of a type that is not read here',
    action: 'Send application/json; events may also be application/x-ndjson, one object a line.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    action: 'Send less at a time: one event of at most 1 MiB, or rows of at most 16 MiB together.',
  },
  request_unreadable: {
    status: 400,
    title: 'The request cannot be read',
    action: 'Send a whole HTTP request with a body that keeps its headers.',
  },
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
