"use strict";

// Azurite's blob and queue services in one process, on 127.0.0.1, without tables and telemetry:
//   node server.js --location DIR --blobPort P --queuePort Q [--silent]

const fs = require("fs");
const path = require("path");

require("./journal").install();

process.argv.push("--skipApiVersionCheck", "--disableProductStyleUrl");

const source = "azurite/dist/src";
const Environment = require(`${source}/common/Environment`).default;
const { setExtentMemoryLimit } = require(`${source}/common/ConfigurationBase`);
const Logger = require(`${source}/common/Logger`);
const { BlobServerFactory } = require(`${source}/blob/BlobServerFactory`);
const QueueConfiguration = require(`${source}/queue/QueueConfiguration`).default;
const QueueServer = require(`${source}/queue/QueueServer`).default;
const names = require(`${source}/queue/utils/constants`);

const CLOSING_MS = 3000;

function queueServer(environment, location) {
  const extents = names.DEFAULT_QUEUE_PERSISTENCE_ARRAY;
  extents[0].locationPath = path.join(location, names.DEFAULT_QUEUE_PERSISTENCE_PATH);
  const loose = false;
  const skipApiVersionCheck = true;
  const configuration = new QueueConfiguration(
    environment.queueHost(),
    environment.queuePort(),
    environment.queueKeepAliveTimeout(),
    path.join(location, names.DEFAULT_QUEUE_LOKI_DB_PATH),
    path.join(location, names.DEFAULT_QUEUE_EXTENT_LOKI_DB_PATH),
    extents,
    !environment.silent(),
    undefined, // access log: standard output
    false, // debug log
    undefined,
    loose,
    skipApiVersionCheck,
  );
  return new QueueServer(configuration);
}

async function main() {
  const environment = new Environment();
  const location = await environment.location();
  fs.mkdirSync(location, { recursive: true });
  Logger.configLogger(false, undefined);
  setExtentMemoryLimit(environment, false);

  const servers = [await new BlobServerFactory().createServer(environment), queueServer(environment, location)];
  for (const server of servers) {
    await server.start();
    console.log(`listening on ${server.getHttpServerAddress()}`);
  }

  const stop = () => {
    // Node 18 waits for idle keep-alive connections; nothing is lost if this does not wait for them.
    setTimeout(() => process.exit(0), CLOSING_MS).unref();
    for (const server of servers) server.httpServer.closeAllConnections();
    Promise.all(servers.map((server) => server.close())).then(() => process.exit(0));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
}

main().catch((error) => {
  console.error(`Azurite does not start: ${error.message}`);
  process.exit(1);
});
