// Questions to the server, and its errors as they are meant for people.

export class ServerError extends Error {
  constructor(kind, message, status) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

async function sent(method, path, body, more) {
  const headers = {};
  let payload = body;
  if (body !== undefined && !(body instanceof Blob)) {
    headers["content-type"] = "application/json";
    payload = JSON.stringify(body);
  }
  let reply;
  try {
    reply = await fetch(path, { method, headers, body: payload, ...more });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("Unreachable", "", 0);
  }
  if (reply.ok) return reply;
  let told = {};
  try {
    told = (await reply.json()).error ?? {};
  } catch { /* what is no JSON has no message */ }
  throw new ServerError(told.kind ?? "HTTPError", told.message ?? `${reply.status} ${reply.statusText}`, reply.status);
}

/** An answer in JSON; null where there is none. */
export async function ask(method, path, body, more) {
  const reply = await sent(method, path, body, more);
  return reply.status === 204 ? null : reply.json();
}

/** An answer as a file: {blob, name}. */
export async function fileOf(path, body) {
  const reply = await sent("POST", path, body);
  const head = reply.headers.get("content-disposition") ?? "";
  return { blob: await reply.blob(), name: /filename="([^"]*)"/.exec(head)?.[1] ?? "nco" };
}

/** Only the latest of several questions is answered; earlier ones are given up. */
export function latest(work) {
  let running = null;
  return async (...given) => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      const found = await work(mine.signal, ...given);
      return mine.signal.aborted ? undefined : found;
    } catch (error) {
      if (mine.signal.aborted || error.name === "AbortError") return undefined;
      throw error;
    }
  };
}
