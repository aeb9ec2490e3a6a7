"use strict";

// Azurite loads its SQL drivers and its telemetry eagerly and uses them only when asked to, which
// Plumbline never does: whatever name is taken from here is an empty class, so that "extends" works.
module.exports = new Proxy({}, { get: (_target, name) => (name === "__esModule" ? false : class {}) });
