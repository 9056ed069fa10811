// Addresses of files that are not endpoints: parts of an upload, which are sent with nothing but the
// address that was given out, and the older addresses by which pages and tools fetch a file.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { trackingErrors } from '../../tracking/index.ts'
import type { Arriving } from './arriving.ts'
import { within } from './artifact-place.ts'
import { ofRun, sendFile, sendFileOf } from './artifacts.ts'
import type { StreamAnswer } from './endpoint.ts'
import { missing } from './errors.ts'
import { numberOf } from './registry-fields.ts'
import { downloadUri } from './registry-source.ts'
import type { MlflowDoorOptions } from './rooms.ts'
import { whoMay } from './who.ts'

export type Refuse = (
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<FastifyReply>

export async function registerArtifactRoutes(
  app: FastifyInstance,
  options: MlflowDoorOptions & { readonly arriving: Arriving },
  refuse: Refuse,
): Promise<void> {
  const { rooms } = options
  await app.register(async (door) => {
    door.setErrorHandler(refuse)
    door.removeAllContentTypeParsers()
    door.addContentTypeParser('*', async (_: FastifyRequest, body: IncomingMessage) => body)
    for (const prefix of ['/api/2.0', '/ajax-api/2.0']) {
      door.put<{ Params: { id: string; number: string } }>(
        `${prefix}/mlflow-artifacts/mpu/part/:id/:number`,
        async (request, reply) => {
          const { id, number } = request.params
          const content = (request.body as Readable | undefined) ?? Readable.from([])
          // Who sends a part shows nothing but the id of its upload.
          const tag = await options.arriving.during(id, () =>
            rooms.tracking.files.uploads.putPart(id, Number(number), content),
          )
          reply.header('etag', `"${tag}"`)
          return {}
        },
      )
    }
    door.get<{ Querystring: Query }>('/get-artifact', async (request, reply) => {
      await whoMay(options, request, 'read')
      const { path, run_id, run_uuid } = request.query
      const { id } = await rooms.tracking.runHead(one('run_id', run_id ?? run_uuid))
      return send(reply, await sendFile(rooms, within(ofRun(id), one('path', path))))
    })
    door.get<{ Querystring: Query }>('/model-versions/get-artifact', async (request, reply) => {
      await whoMay(options, request, 'read')
      const { path, name, version } = request.query
      const number = numberOf(one('version', version))
      const found = await rooms.registry.labelled(one('name', name), number)
      const uri = await downloadUri(rooms, found.version)
      const file = await sendFileOf(rooms, uri, one('path', path))
      if (file === undefined) {
        throw trackingErrors.artifact_not_found(`The files of this version lie elsewhere: ${uri}.`)
      }
      return send(reply, file)
    })
  })
}

type Query = Readonly<Record<string, string | string[] | undefined>>

function one(name: string, value: string | string[] | undefined): string {
  if (typeof value === 'string' && value !== '') return value
  throw missing(name)
}

function send(reply: FastifyReply, { headers, stream }: StreamAnswer): FastifyReply {
  return reply.headers(headers).send(Readable.from(stream))
}
