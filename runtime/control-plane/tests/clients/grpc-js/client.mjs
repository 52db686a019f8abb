// Calls a service that gRPC for Node finds by xDS, over and over, and tells in lines of JSON what it meets.
// What it says and what it is asked is as in ../grpcio/client.py.
//
//     GRPC_XDS_BOOTSTRAP=xds.json MODULES=…/node_modules node client.mjs xds:///orders.mesh

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

// Modules are found from MODULES on, wherever this file is.
const require = createRequire(process.env.MODULES + '/');
const grpc = require('@grpc/grpc-js');
require('@grpc/grpc-js-xds').register();

const DEADLINE = 10_000;
const PAUSE = 1;

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

// Calls in a loop, one after the other.
const client = new grpc.Client(process.argv[2], grpc.credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
let [calls, errors, by, stopped] = [0, 0, {}, false];
let waiting = [];

// `google.protobuf.Empty` is no bytes; a short `StringValue` is a tag, a length and the string.
const who = (waitForReady) =>
    new Promise((resolve, reject) =>
        client.makeUnaryRequest(
            '/mesh.Echo/Who',
            () => Buffer.alloc(0),
            (bytes) => bytes.subarray(2).toString(),
            null,
            new grpc.Metadata({ waitForReady }),
            { deadline: Date.now() + DEADLINE },
            (error, backend) => (error ? reject(error) : resolve(backend)),
        ),
    );

async function call() {
    let last = null;
    while (!stopped) {
        try {
            // Only the first call waits for the service to be there.
            const backend = await who(calls === 0);
            by[backend] = (by[backend] ?? 0) + 1;
            if (backend !== last) {
                last = backend;
                say({ backend, after: calls });
            }
        } catch (error) {
            errors += 1;
            say({ error: `${grpc.status[error.code]}: ${error.details}`, after: calls });
        }
        calls += 1;
        waiting.filter(({ aim }) => calls >= aim).forEach(({ reached }) => reached());
        waiting = waiting.filter(({ aim }) => calls < aim);
        await pause(PAUSE);
    }
}

// What this process was told by xDS, and what it thinks of it: the package's admin service, asked over loopback.
const loader = require('@grpc/proto-loader');
const deps = require.resolve('@grpc/grpc-js-xds/package.json').replace('package.json', 'deps/');
const status = grpc.loadPackageDefinition(
    loader.loadSync('envoy/service/status/v3/csds.proto', {
        keepCase: true,
        enums: String,
        defaults: true,
        includeDirs: ['envoy-api', 'xds', 'protoc-gen-validate', 'googleapis'].map((folder) => deps + folder),
    }),
).envoy.service.status.v3.ClientStatusDiscoveryService;

async function serveStatus() {
    const server = new grpc.Server();
    grpc.addAdminServicesToServer(server);
    const port = await new Promise((resolve, reject) =>
        server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
            error ? reject(error) : resolve(port),
        ),
    );
    return new status(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
}

const csds = await serveStatus();
const resources = () =>
    new Promise((resolve, reject) =>
        csds.FetchClientStatus({}, (error, answer) => {
            if (error) return reject(error);
            resolve(
                answer.config.flatMap((config) =>
                    config.generic_xds_configs.map((resource) => ({
                        type: resource.type_url.split('.').at(-1),
                        name: resource.name,
                        status: resource.client_status,
                        version: resource.version_info,
                        error: resource.error_state?.details ?? '',
                    })),
                ),
            );
        }),
    );

const calling = call();
for await (const line of createInterface({ input: process.stdin })) {
    const [word, more] = line.split(' ');
    if (word === 'csds') {
        say({ csds: await resources() });
    } else if (word === 'calls') {
        await new Promise((reached) => waiting.push({ aim: calls + Number(more), reached }));
        say({ reached: calls });
    } else if (word === 'stop') {
        break;
    }
}
stopped = true;
await calling;
const version = require('@grpc/grpc-js-xds/package.json').version;
say({ totals: { client: `grpc-js-xds ${version}`, calls, errors, by } });
process.exit(0);
