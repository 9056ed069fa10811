// Files behind MLflow's door, as its client asks for them.
import { request as httpRequest } from 'node:http'
import { beforeEach, expect, test } from 'vitest'
import { refusalOf } from '../src/server/mlflow/errors.ts'
import { trackingErrors } from '../src/tracking/index.ts'
import { openMlflowDoor } from './mlflow-door.ts'

const api = '/api/2.0/mlflow-artifacts/artifacts'
let door: Awaited<ReturnType<typeof openMlflowDoor>>
let run: { id: string; experimentId: string }
let root: string

beforeEach(async () => {
  door = await openMlflowDoor()
  const experiment = await door.tracking.createExperiment({ name: 'files' }, door.by)
  run = await door.tracking.startRun({ experimentId: experiment.id, name: 'r' }, door.by)
  root = `${experiment.id}/${run.id}/artifacts`
})

const put = (path: string, payload: string, type = 'text/plain') =>
  door.app.inject({
    method: 'PUT',
    url: `${api}/${path}`,
    payload,
    headers: { 'content-type': type },
  })
const get = (url: string) => door.app.inject({ method: 'GET', url })
const post = (url: string, payload: object) =>
  door.app.inject({
    method: 'POST',
    url: `/api/2.0/mlflow-artifacts/mpu/${url}`,
    payload,
    headers: { host: 'assay.example:7070' },
  })

/** Sends a path byte for byte; other ways of asking tidy it before. */
function putAsItIs(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, method: 'PUT' }, (response) => {
      response.setEncoding('utf8')
      response.on('data', (text: string) => resolve(`${response.statusCode} ${text}`))
    })
    request.on('error', reject)
    request.end('x')
  })
}

test('a file that is put is listed, fetched and deleted by its path', async () => {
  expect((await put(`${root}/model/MLmodel`, 'flavors: {}')).json()).toEqual({})
  await put(`${root}/model/data/model.xgb`, '123')
  await put(`${root}/top.json`, '{}', 'application/json')
  const listed = async (path: string) =>
    (await get(`${api}?path=${encodeURIComponent(path)}`)).json()
  expect(await listed(root)).toEqual({
    files: [
      { path: 'model', is_dir: true },
      { path: 'top.json', is_dir: false, file_size: 2 },
    ],
  })
  expect(await listed(`${root}/model`)).toEqual({
    files: [
      { path: 'MLmodel', is_dir: false, file_size: 11 },
      { path: 'data', is_dir: true },
    ],
  })
  expect(await listed(`${root}/none`)).toEqual({})
  const file = await get(`${api}/${root}/model/MLmodel`)
  expect(file.body).toBe('flavors: {}')
  expect(file.headers).toMatchObject({
    'content-type': 'text/plain',
    'content-length': '11',
    'content-disposition': 'attachment; filename=MLmodel',
    'x-content-type-options': 'nosniff',
  })
  const gone = await door.app.inject({ method: 'DELETE', url: `${api}/${root}/model` })
  expect(gone.json()).toEqual({})
  expect((await door.tracking.run(run.id)).artifacts.map(({ name }) => name)).toEqual(['top.json'])
  expect(door.entries.at(-1)).toMatchObject({
    action: 'tracking.files-removed',
    details: { path: 'model', count: 2 },
  })
  expect((await get(`${api}/${root}/model/MLmodel`)).json()).toMatchObject({
    error_code: 'RESOURCE_DOES_NOT_EXIST',
  })
})

test('a dot lists the folder it stands in', async () => {
  await put(`${root}/a/b.txt`, 'x')
  const listed = async (path: string) => (await get(`${api}?path=${path}`)).json().files
  expect(await listed(`${root}/.`)).toEqual([{ path: 'a', is_dir: true }])
  expect(await listed(`${root}/./a/`)).toEqual([{ path: 'b.txt', is_dir: false, file_size: 1 }])
  expect(
    (await get(`/api/2.0/mlflow/artifacts/list?run_id=${run.id}&path=.`)).json().files,
  ).toEqual([{ path: 'a', is_dir: true }])
  expect((await get(`${api}?path=${root}/..`)).statusCode).toBe(400)
})

test.each([
  ['MLmodel', 'filename=MLmodel'],
  ['dog+step+20.png', 'filename=dog+step+20.png'],
  ['a b"c.txt', String.raw`filename="a b\"c.txt"`],
  ['größe (1).csv', `filename="groe (1).csv"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%281%29.csv`],
  ['日本', "filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC"],
])('the file %s is sent with its name', async (name, sent) => {
  await put(`${root}/${encodeURIComponent(name)}`, 'x')
  const { headers } = await get(`${api}/${root}/${encodeURIComponent(name)}`)
  expect(headers['content-disposition']).toBe(`attachment; ${sent}`)
})

test('the listings of a run and of a logged model name whole paths', async () => {
  await put(`${root}/a/b.txt`, 'x')
  const list = await get(`/api/2.0/mlflow/artifacts/list?run_uuid=${run.id}&path=a`)
  expect(list.json()).toEqual({
    root_uri: `mlflow-artifacts:/${root}`,
    files: [{ path: 'a/b.txt', is_dir: false, file_size: 1 }],
  })
  const { experimentId } = run
  const model = await door.tracking.createLoggedModel({ experimentId, name: 'm' }, door.by)
  const models = `${experimentId}/models/${model.id}/artifacts`
  await put(`${models}/code/x.py`, 'pass')
  const directories = `/ajax-api/2.0/mlflow/logged-models/${model.id}/artifacts`
  expect((await get(`${directories}/directories?artifact_directory_path=code`)).json()).toEqual({
    root_uri: `mlflow-artifacts:/${models}`,
    files: [{ path: 'code/x.py', is_dir: false, file_size: 4 }],
  })
  expect((await get(`${directories}/files?artifact_file_path=code/x.py`)).body).toBe('pass')
  const owner = { kind: 'logged-model', id: model.id } as const
  expect(await door.tracking.files.filesBelow(owner, '')).toHaveLength(1)
})

test('any other path is a file of the common folder, also where it looks like a run', async () => {
  const paths = ['free/x.txt', `other/${run.id}/artifacts/x.txt`, '1/nobody/artifacts/x.txt']
  for (const path of paths) expect((await put(path, path)).statusCode).toBe(200)
  const kept = await door.tracking.files.filesBelow({ kind: 'folder', id: '' }, '')
  expect(kept.map(({ path }) => path)).toEqual([...paths].sort())
  expect((await door.tracking.run(run.id)).artifacts).toEqual([])
  expect((await get(`${api}/${paths[1]}`)).body).toBe(paths[1])
})

test('the files of a deleted model can be read, and nothing more goes there or elsewhere', async () => {
  const { experimentId } = run
  const model = await door.tracking.createLoggedModel({ experimentId, name: 'm' }, door.by)
  const path = `${experimentId}/models/${model.id}/artifacts/x.txt`
  await put(path, 'x')
  await door.tracking.deleteLoggedModel(model.id, door.by)
  expect((await get(`${api}/${path}`)).body).toBe('x')
  expect((await put(path, 'y')).json()).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' })
  expect(await door.tracking.files.filesBelow({ kind: 'folder', id: '' }, '')).toEqual([])
})

test('an experiment with a place of its own has its runs there', async () => {
  const artifactLocation = 'mlflow-artifacts://host:5000/team/a'
  const own = await door.tracking.createExperiment({ name: 'own', artifactLocation }, door.by)
  const { id } = await door.tracking.startRun({ experimentId: own.id, name: 'r' }, door.by)
  await put(`team/a/${id}/artifacts/x.txt`, 'x')
  expect((await door.tracking.run(id)).artifacts).toHaveLength(1)
})

test.each([
  ['%2e%2e/x'],
  ['a/%2e%2e/%2e%2e/x'],
  ['%252e%252e/x'],
  ['%2Fetc%2Fpasswd'],
  ['a%5C..%5Cx'],
  ['C:%5Cx'],
  ['a%00b'],
  ['a%23b'],
  ['a//b'],
])('the path %s is refused', async (path) => {
  const { port } = new URL(await door.app.listen({ port: 0, host: '127.0.0.1' }))
  for (const before of ['', `${root}/`]) {
    expect(await putAsItIs(Number(port), `${api}/${before}${path}`)).toMatch(
      /^400 .*"INVALID_PARAMETER_VALUE"/,
    )
  }
  expect(door.defects).toEqual([])
  await door.app.close()
})

test('a long path is either kept or refused with its reason', async () => {
  const long = `${'x'.repeat(250)}/`.repeat(3) + 'y'.repeat(255)
  expect((await put(`${root}/${long}`, 'x')).statusCode).toBe(200)
  const tooLong = await put(`${root}/${long}/${'z'.repeat(100)}`, 'x')
  expect(tooLong.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
})

test('a file comes in parts, sent to addresses that need no key', async () => {
  const created = await post(`create/${root}/sub`, { path: '/home/me/big.bin', num_parts: 2 })
  const { upload_id, credentials } = created.json()
  expect(credentials[1]).toEqual({
    url: `http://assay.example:7070/api/2.0/mlflow-artifacts/mpu/part/${upload_id}/2`,
    part_number: 2,
    headers: {},
  })
  const parts: object[] = []
  for (const { url, part_number } of credentials) {
    const path = new URL(url).pathname
    const answer = await door.app.inject({
      method: 'PUT',
      url: path,
      payload: `part${part_number}`,
    })
    parts.push({ part_number, etag: answer.headers['etag'], url })
  }
  const completed = await post(`complete/${root}/sub`, {
    path: '/home/me/big.bin',
    upload_id,
    parts,
  })
  expect([completed.statusCode, completed.json()]).toEqual([200, {}])
  expect((await get(`${api}/${root}/sub/big.bin`)).body).toBe('part1part2')
})

test('an upload that is aborted leaves nothing, and takes nothing more', async () => {
  const { upload_id } = (await post(`create/${root}`, { path: 'x', num_parts: 1 })).json()
  expect((await post(`abort/${root}`, { path: 'x', upload_id })).json()).toEqual({})
  const url = `/api/2.0/mlflow-artifacts/mpu/part/${upload_id}/1`
  const late = await door.app.inject({ method: 'PUT', url, payload: 'x' })
  expect(late.json()).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' })
  const badParts = await post(`create/${root}`, { path: 'x', num_parts: 0 })
  expect(badParts.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
})

test('one client cannot hold every upload in parts: it is told to wait, and goes on later', async () => {
  const begin = () => post(`create/${root}`, { path: 'x', num_parts: 1 })
  const begun = await Promise.all(Array.from({ length: 16 }, begin))
  expect(begun.map(({ statusCode }) => statusCode)).toEqual(new Array(16).fill(200))
  const refused = await begin()
  expect(refused.json()).toMatchObject({ error_code: 'REQUEST_LIMIT_EXCEEDED' })
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '10'])
  const { upload_id } = begun[0].json()
  await post(`abort/${root}`, { path: 'x', upload_id })
  expect((await begin()).statusCode).toBe(200)
})

test('the address of older tools gives the file of a run', async () => {
  await put(`${root}/a.txt`, 'x')
  expect((await get(`/get-artifact?run_uuid=${run.id}&path=a.txt`)).body).toBe('x')
  expect((await get(`/get-artifact?run_id=${run.id}&path=a.txt`)).body).toBe('x')
  expect((await get('/get-artifact?run_id=none&path=a.txt')).statusCode).toBe(404)
  expect((await get(`/get-artifact?run_id=${run.id}`)).statusCode).toBe(400)
})

test('a page sends a file in the body, and is told what it left out', async () => {
  const send = async (query: string, payload = 'x') => {
    const url = `/ajax-api/2.0/mlflow/upload-artifact?${query}`
    const answer = await door.app.inject({ method: 'POST', url, payload })
    return [answer.statusCode, answer.json().message]
  }
  const id = `run_uuid=${run.id}`
  expect(await send('path=a.txt')).toEqual([400, 'Request must specify run_uuid.'])
  expect(await send(`${id}&path=`)).toEqual([400, 'Request must specify path.'])
  expect(await send(`${id}&path=a.txt`, '')).toEqual([400, 'Request must specify data.'])
  expect(await send(`${id}&path=../a.txt`, '')).toEqual([
    400,
    'Invalid path: "../a.txt" has the part ...',
  ])
  expect(await get(`/get-artifact?${id}&path=a.txt`)).toMatchObject({ statusCode: 404 })
  expect(await send(`${id}&path=a.txt`, 'told')).toEqual([200, undefined])
  expect((await get(`/get-artifact?${id}&path=a.txt`)).body).toBe('told')
})

test('downloads from elsewhere are refused in the words that clients look for', async () => {
  const answer = await get(`/api/2.0/mlflow-artifacts/presigned/${root}/x`)
  expect([answer.statusCode, answer.json().message]).toEqual([
    501,
    'Multipart download is not supported for the current artifact repository',
  ])
})

test('a full disk is an answer that clients do not repeat', () => {
  const full = refusalOf(trackingErrors.artifact_store_full('The disk took no more.'))
  expect([full.status, full.body.error_code]).toEqual([507, 'RESOURCE_EXHAUSTED'])
})

test('a file may be empty, large, and of any type', async () => {
  expect((await put(`${root}/empty`, '', 'application/x-unknown')).statusCode).toBe(200)
  const large = 'x'.repeat(6 * 1024 * 1024)
  expect((await put(`${root}/large`, large, 'text/x-weird')).statusCode).toBe(200)
  expect((await get(`${api}/${root}/large`)).body.length).toBe(large.length)
  expect((await get(`${api}/${root}/empty`)).body).toBe('')
})
