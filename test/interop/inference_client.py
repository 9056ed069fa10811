"""Sessions of real clients of the Open Inference Protocol against the door of prediction.

    inference_client.py triton-http|triton-grpc|kserve-rest|kserve-grpc HOST:PORT MODEL

Reads rows as JSON from standard input, asks for them in every form that the client knows, and prints
one JSON object with what it was answered.
"""

import asyncio
import json
import sys

import numpy as np


def triton(client_module, address, model, rows, forms):
    client = client_module.InferenceServerClient(address)
    found = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready(model),
        "answers": {},
    }
    table = np.array(rows, dtype=np.float64)
    for name, binary in forms.items():
        tensor = client_module.InferInput("input", table.shape, "FP64")
        outputs = None
        if binary is None:
            tensor.set_data_from_numpy(table)
        else:
            tensor.set_data_from_numpy(table, binary_data=binary)
            outputs = [
                client_module.InferRequestedOutput(output, binary_data=binary)
                for output in ("predict", "predict_proba")
            ]
        result = client.infer(model, [tensor], outputs=outputs, request_id="7")
        found["answers"][name] = {
            "predict": result.as_numpy("predict").tolist(),
            "predict_proba": result.as_numpy("predict_proba").tolist(),
        }
    columns = []
    for j in range(table.shape[1]):
        column = client_module.InferInput(f"f{j}", [len(rows)], "FP64")
        column.set_data_from_numpy(np.ascontiguousarray(table[:, j]))
        columns.append(column)
    found["by_name"] = client.infer(model, columns).as_numpy("predict_proba").tolist()
    try:
        client.infer("nobody", [tensor])
    except Exception as error:
        found["unknown"] = [error.status(), error.message()]
    return client, found


def triton_http(address, model, rows):
    import tritonclient.http as http

    client, found = triton(http, address, model, rows, {"json": False, "binary": True})
    found["server"] = client.get_server_metadata()
    found["model"] = client.get_model_metadata(model)
    return found


def triton_grpc(address, model, rows):
    import tritonclient.grpc as grpc

    client, found = triton(grpc, address, model, rows, {"raw": None})
    found["server"] = client.get_server_metadata(as_json=True)
    found["model"] = client.get_model_metadata(model, as_json=True)
    return found


def kserve_request(model, rows, raw):
    from kserve import InferInput, InferRequest

    tensor = InferInput(name="input", shape=[len(rows), len(rows[0])], datatype="FP64")
    tensor.set_data_from_numpy(np.array(rows, dtype=np.float64), binary_data=raw)
    return InferRequest(model_name=model, infer_inputs=[tensor], request_id="7")


def kserve_found(response):
    return {
        output.name: np.array(output.as_numpy()).reshape(output.shape).tolist()
        for output in response.outputs
    }


def kserve_rest(address, model, rows):
    from kserve import InferenceRESTClient, RESTConfig

    async def ask():
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        url = f"http://{address}"
        found = {
            "live": await client.is_server_live(url),
            "ready": await client.is_server_ready(url),
            "model_ready": await client.is_model_ready(url, model),
            "answers": {},
        }
        for name, raw in {"json": False, "binary": True}.items():
            response = await client.infer(url, kserve_request(model, rows, raw), model_name=model)
            found["answers"][name] = kserve_found(response)
        return found

    return asyncio.run(ask())


def kserve_grpc(address, model, rows):
    from kserve import InferenceGRPCClient

    async def ask():
        client = InferenceGRPCClient(address)
        found = {
            "live": await client.is_server_live(),
            "ready": await client.is_server_ready(),
            "model_ready": await client.is_model_ready(model),
            "answers": {},
        }
        for name, raw in {"contents": False, "raw": True}.items():
            response = await client.infer(kserve_request(model, rows, raw))
            found["answers"][name] = kserve_found(response)
        return found

    return asyncio.run(ask())


SESSIONS = {
    "triton-http": triton_http,
    "triton-grpc": triton_grpc,
    "kserve-rest": kserve_rest,
    "kserve-grpc": kserve_grpc,
}

if __name__ == "__main__":
    session, address, model = sys.argv[1:]
    print(json.dumps(SESSIONS[session](address, model, json.load(sys.stdin))))
