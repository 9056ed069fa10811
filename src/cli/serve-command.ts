// `assay serve`: one model behind the standard protocols, without a home or a server.
import type { Command } from 'commander'
import { deviceOption, env, examples, homeOption, port } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

export interface ServeOptions extends HomeOptions {
  readonly port: number
  readonly host: string
  readonly grpcPort?: number
  readonly modelName?: string
  /** What computes a graph of ONNX; the processor by default. */
  readonly device?: string
  /** File of a golden set that the model must answer before it is ready. */
  readonly golden?: string
  /** Whether a remote model may lie in a private network. */
  readonly allowPrivate: boolean
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

export function addServeCommand(program: Command, actions: Actions, then: Then): void {
  program
    .command('serve')
    .description('serve one model over standard protocols, in a small process of its own')
    .argument(
      '<model>',
      'a file (Assay’s JSON, XGBoost JSON or UBJSON, LightGBM text, ONNX), NAME@VERSION of the home, or the URL of a model of another v2 server',
    )
    .addOption(env('--port <n>', 'port of the REST door', 'PORT').argParser(port).default(8080))
    .addOption(env('--host <address>', 'address to listen on', 'HOST').default('127.0.0.1'))
    .addOption(
      env(
        '--grpc-port <n>',
        'port of the gRPC door; without it there is none',
        'GRPC_PORT',
      ).argParser(port),
    )
    .addOption(
      env(
        '--model-name <name>',
        'name that clients ask for; from the file by default',
        'MODEL_NAME',
      ),
    )
    .addOption(deviceOption())
    .addOption(
      env(
        '--golden <file>',
        'rows with the answers expected of them, proved before the model is ready',
        'GOLDEN',
      ),
    )
    .addOption(
      env(
        '--allow-private',
        'let the URL of a model lie in a private network',
        'ALLOW_PRIVATE',
      ).default(false),
    )
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples(
        'assay serve model.txt --model-name churn --golden golden.json',
        'assay serve churn@3 --port 8080 --grpc-port 8081 --host 0.0.0.0',
      ),
    )
    .action(then((model: string, options: ServeOptions) => actions.serve(model, options)))
}
