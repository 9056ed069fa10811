import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grpcClient } from '../../../test/grpc-client.ts'
import { openTestDoor, type TestDoor } from '../../../test/inference-door.ts'
import { engineModel } from '../../../test/inference-models.ts'
import type { ModelHost } from '../../serving/index.ts'
import { createInferenceMeter } from './meter.ts'

const { models, rows } = await engineModel('churn')
const table = { name: 'input', datatype: 'FP64', shape: [rows.length, 3], data: rows.flat() }
const nobody: ModelHost = { ...models, list: () => [] }

/** A meter whose clock goes a millisecond with every look. */
function slowMeter() {
  let now = 0
  return createInferenceMeter(() => (now += 1000))
}

describe('the meter', () => {
  test('counts requests, rows and errors by model, and how long they took', () => {
    const meter = slowMeter()
    const model = models.find('churn')
    for (let n = 0; n < 2; n++) {
      const asked = meter.begin('http', '/v2/models/{model}/infer')
      asked.model = model
      asked.answered(5, '200')
      asked.abandoned()
    }
    meter.begin('http', '/v2/models/{model}/infer').refused(new Error('a defect'), '500')
    const lines = meter.lines(models)
    const own = '{model="churn",version="1",protocol="http"}'
    expect(lines).toContain(`assay_inference_requests_total${own} 2`)
    expect(lines).toContain(`assay_inference_rows_total${own} 10`)
    expect(lines).toContain(
      'assay_inference_errors_total{model="",version="",protocol="http",code="internal_error"} 1',
    )
    expect(lines).toContain('assay_inference_in_flight 0')
    expect(lines).toContain('assay_model_ready{model="churn",version="1"} 1')
    const bucket =
      'assay_inference_duration_seconds_bucket{model="churn",version="1",protocol="http",le='
    expect(lines).toContain(`${bucket}"0.0005"} 0`)
    expect(lines).toContain(`${bucket}"0.001"} 2`)
    expect(lines).toContain(`${bucket}"+Inf"} 2`)
    expect(lines).toContain(
      'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/v2/models/{model}/infer",http_response_status_code="500",url_scheme="http"} 1',
    )
  })

  test('counts a client that went away once, and what is still on its way', () => {
    const meter = slowMeter()
    const gone = meter.begin('grpc', 'a/B')
    meter.begin('grpc', 'a/B')
    gone.abandoned()
    gone.answered(1, 'OK')
    const lines = meter.lines(nobody)
    expect(lines).toContain('assay_inference_in_flight 1')
    expect(lines).toContain('assay_inference_requests_total{model="",version="",protocol="grpc"} 1')
    expect(lines).toContain(
      'assay_inference_errors_total{model="",version="",protocol="grpc",code="client_gone"} 1',
    )
  })

  test('holds a bounded number of series, and loses no request', () => {
    const meter = slowMeter()
    for (let n = 0; n < 2500; n++) {
      const asked = meter.begin('http', '/v2/models/{model}/infer')
      asked.model = { name: `m${n}`, version: '1', standing: { state: 'loading' } }
      asked.answered(1, '200')
    }
    const counts = meter
      .lines(nobody)
      .filter((line) => line.startsWith('assay_inference_requests_total'))
      .map((line) => Number(line.split(' ').at(-1)))
    expect(counts.length).toBeLessThanOrEqual(2001)
    expect(counts.reduce((sum, n) => sum + n)).toBe(2500)
  })
})

describe('a process of one model', () => {
  let door: TestDoor
  beforeAll(async () => {
    door = await openTestDoor({ models, meter: slowMeter(), grpcPort: 0 })
  })
  afterAll(() => door.close(0))

  test('tells at /metrics what it was asked over every door', async () => {
    const client = grpcClient(door.grpcPort!)
    const infer = '/v2/models/churn/infer'
    expect((await door.ask(infer, { inputs: [table] })).status).toBe(200)
    expect((await door.ask('/invocations', { instances: rows })).status).toBe(200)
    expect((await door.ask(infer, { inputs: [] })).status).toBe(400)
    expect((await door.ask('/v2/models/other/infer', { inputs: [table] })).status).toBe(404)
    const { data, ...tensor } = table
    const inputs = [{ ...tensor, contents: { fp64_contents: data } }]
    await client.call('ModelInfer', { model_name: 'churn', inputs })
    await expect(client.call('ModelInfer', { model_name: 'other', inputs })).rejects.toThrow()
    client.close()
    const { text, headers } = await door.ask('/metrics')
    expect(headers.get('content-type')).toContain('version=0.0.4')
    const lines = text.split('\n')
    for (const line of [
      'assay_inference_requests_total{model="churn",version="1",protocol="http"} 3',
      'assay_inference_rows_total{model="churn",version="1",protocol="http"} 10',
      'assay_inference_rows_total{model="churn",version="1",protocol="grpc"} 5',
      'assay_inference_errors_total{model="churn",version="1",protocol="http",code="inference_request_invalid"} 1',
      'assay_inference_errors_total{model="",version="",protocol="http",code="served_model_unknown"} 1',
      'assay_inference_errors_total{model="",version="",protocol="grpc",code="served_model_unknown"} 1',
      'rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="inference.GRPCInferenceService/ModelInfer",rpc_response_status_code="OK"} 1',
      'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/invocations",http_response_status_code="200",url_scheme="http"} 1',
    ]) {
      expect(lines).toContain(line)
    }
    expect(door.defects).toEqual([])
  })
})
