// A gRPC client of the Open Inference Protocol for tests, made from the protocol's own file.
import { fileURLToPath } from 'node:url'
import { type Client, credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

type Calls = Client &
  Readonly<
    Record<
      string,
      (
        message: object,
        metadata: Metadata,
        done: (error: Error | null, answer: Record<string, unknown>) => void,
      ) => void
    >
  >

export function grpcClient(port: number, key?: string) {
  const file = new URL('../src/server/inference/inference.proto', import.meta.url)
  const options = { keepCase: true, longs: Number, defaults: true } as const
  const { GRPCInferenceService } = loadPackageDefinition(loadSync(fileURLToPath(file), options))[
    'inference'
  ] as unknown as Record<string, new (address: string, how: unknown) => Calls>
  const client = new GRPCInferenceService(`127.0.0.1:${port}`, credentials.createInsecure())
  const metadata = new Metadata()
  if (key !== undefined) metadata.set('authorization', `Bearer ${key}`)
  return {
    call: (method: string, message: object): Promise<Record<string, unknown>> =>
      new Promise((resolve, reject) => {
        client[method](message, metadata, (error, answer) =>
          error === null ? resolve(answer) : reject(error),
        )
      }),
    close: () => client.close(),
  }
}
