// Asks the server. The token of a server that has one is kept in this tab only.
const KEY = "recipes-token";

export class TokenNeeded extends Error {}

export function keep(token) {
  sessionStorage.setItem(KEY, token);
}

export async function send(path, options = {}) {
  const token = sessionStorage.getItem(KEY);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { ...options, headers });
  if (answer.status === 401) throw new TokenNeeded();
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer;
}

export async function asked(path, options) {
  return (await send(path, options)).json();
}

// What is wrong, in one line. Only a server that is gone has no line of its own.
export function reason(error, words) {
  return error instanceof TypeError ? words.lost : error.message || words.wrong_token;
}
