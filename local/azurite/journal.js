"use strict";

// Azurite keeps its tables in LokiJS, which writes the whole database to disk every five seconds:
// a SIGKILL loses what was acknowledged since. Real storage loses nothing, and tests kill Azurite.
// So every change is also appended to a journal beside the database before the answer is sent. A
// save starts a new journal and drops the older ones; a start replays what the last save missed.
// The bytes are in the kernel's page cache when writeSync returns: they survive the process.

const fs = require("fs");
const path = require("path");
const Loki = require("lokijs");

const journals = new WeakMap(); // Loki -> Journal
const owners = new WeakMap(); // Collection -> Loki

class Journal {
  constructor(database) {
    this.database = database;
    const numbers = numbersOf(database);
    this.number = numbers.length === 0 ? 1 : numbers[numbers.length - 1] + 1;
    this.file = fs.openSync(fileOf(database, this.number), "a");
  }

  append(entry) {
    fs.writeSync(this.file, JSON.stringify(entry) + "\n");
  }

  // To be called in the tick that serialises the database: what comes later is not in that save.
  turn() {
    fs.closeSync(this.file);
    this.number += 1;
    this.file = fs.openSync(fileOf(this.database, this.number), "a");
    return this.number;
  }
}

function fileOf(database, number) {
  return `${database}.journal.${number}`;
}

function numbersOf(database) {
  const prefix = path.basename(database) + ".journal.";
  return fs
    .readdirSync(path.dirname(database))
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((one, other) => one - other);
}

function entriesOf(database) {
  const entries = [];
  for (const number of numbersOf(database)) {
    for (const line of fs.readFileSync(fileOf(database, number), "utf8").split("\n")) {
      try {
        if (line !== "") entries.push(JSON.parse(line));
      } catch {
        break; // torn by the kill: its request was never answered
      }
    }
  }
  return entries;
}

// Entries may be in the save already, so each says how a document is now, not how it changed.
function replay(image, entries) {
  const collections = new Map((image.collections || []).map((one) => [one.name, one]));
  const tables = new Map();
  for (const entry of entries) {
    const collection = collections.get(entry.collection);
    if (collection === undefined) continue;
    if (!tables.has(entry.collection)) {
      tables.set(entry.collection, new Map(collection.data.map((one) => [one.$loki, one])));
    }
    const table = tables.get(entry.collection);
    if (entry.clear) table.clear();
    for (const id of entry.gone || []) table.delete(id);
    if (entry.now) {
      table.set(entry.now.$loki, entry.now);
      collection.maxId = Math.max(collection.maxId || 0, entry.now.$loki);
    }
  }
  for (const [name, table] of tables) {
    const collection = collections.get(name);
    collection.data = [...table.values()].sort((one, other) => one.$loki - other.$loki);
    collection.idIndex = collection.data.map((one) => one.$loki);
  }
}

function write(collection, entry) {
  const database = owners.get(collection);
  const journal = database && journals.get(database);
  if (journal) journal.append({ collection: collection.name, ...entry });
}

function wrap(prototype, name, make) {
  prototype[name] = make(prototype[name]);
}

function install() {
  for (const name of ["addCollection", "getCollection"]) {
    wrap(Loki.prototype, name, (inner) => function (...given) {
      const collection = inner.apply(this, given);
      if (collection) owners.set(collection, this);
      return collection;
    });
  }

  wrap(Loki.prototype, "loadJSON", () => function (text, options) {
    const image = text.length === 0 ? {} : JSON.parse(text);
    replay(image, entriesOf(this.filename));
    this.loadJSONObject(image, options);
    for (const collection of this.collections) collection.ensureAllIndexes(true);
  });

  wrap(Loki.prototype, "saveDatabaseInternal", (inner) => function (callback) {
    if (!journals.has(this)) journals.set(this, new Journal(this.filename));
    const number = journals.get(this).turn();
    inner.call(this, (error, ...rest) => {
      if (!error) {
        for (const old of numbersOf(this.filename)) {
          if (old < number) fs.rmSync(fileOf(this.filename, old), { force: true });
        }
      }
      if (callback) callback(error, ...rest);
      else if (error) throw error;
    });
  });

  const Collection = Loki.Collection;
  wrap(Collection.prototype, "insertOne", (inner) => function (...given) {
    const now = inner.apply(this, given);
    if (now) write(this, { now });
    return now;
  });
  wrap(Collection.prototype, "update", (inner) => function (document) {
    const now = inner.call(this, document);
    if (!Array.isArray(document)) write(this, { now: now || document });
    return now;
  });
  wrap(Collection.prototype, "remove", (inner) => function (document) {
    const id = typeof document === "number" ? document : document.$loki;
    const result = inner.call(this, document);
    if (!Array.isArray(document)) write(this, { gone: [id] });
    return result;
  });
  wrap(Collection.prototype, "removeBatchByPositions", (inner) => function (positions) {
    const gone = positions.map((position) => this.data[position].$loki);
    const result = inner.call(this, positions);
    write(this, { gone });
    return result;
  });
  wrap(Collection.prototype, "clear", (inner) => function (options) {
    const result = inner.call(this, options);
    write(this, { clear: true });
    return result;
  });
}

module.exports = { install };
