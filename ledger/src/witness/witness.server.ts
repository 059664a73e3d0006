import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { type HttpLimits, HTTP_TIMES, limitConnections, limitRequests, requestFault } from '../serving/index.js';
import { parseAddCheckpoint } from './add-checkpoint.request.js';
import type { DeskAnswer, WitnessDesk } from './witness.desk.js';

// 63 hashes and a checkpoint with a hundred signature lines are a third of it.
const MAX_BODY_BYTES = 65_536;
/** A log asks once for each of its checkpoints; behind one address may be several logs. Each request costs a signature. */
const LIMITS: HttpLimits = { requests: 600, perMs: 60_000, connections: 256, connectionsPerAddress: 64 };

const statuses: Readonly<Record<Exclude<DeskAnswer['kind'], 'cosigned' | 'conflict'>, number>> = {
  malformed: 400,
  'not-signed': 403,
  'unknown-origin': 404,
  unproven: 422,
};

/**
 * The HTTP interface of C2SP tlog-witness v1.0.0: `POST /add-checkpoint`. There is no authentication beside the log's signature on its checkpoint, as the protocol has it.
 * @param heard told every answer, e.g. for a line on the screen
 */
export async function witnessServer(
  desk: WitnessDesk,
  heard: (answer: DeskAnswer) => void = () => {},
  limits: HttpLimits = LIMITS,
): Promise<FastifyInstance> {
  const server = Fastify({ ...HTTP_TIMES, bodyLimit: MAX_BODY_BYTES });
  limitConnections(server.server, limits);
  const counted = await limitRequests(server, limits);
  server.setErrorHandler((error, _request, reply) => {
    const { status, text } = requestFault(error) ?? { status: 500, text: 'The witness could not answer; try again.' };
    return plain(reply, status, text);
  });
  server.setNotFoundHandler({ preHandler: counted }, (_request, reply) => plain(reply, 404, 'There is /add-checkpoint, by POST.'));
  // Whatever type a log gives its request, the body is read as bytes.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.post('/add-checkpoint', async (request, reply) => {
    const answer = answerTo(desk, request.body);
    heard(answer);
    switch (answer.kind) {
      case 'cosigned':
        return reply.code(200).type('text/plain; charset=utf-8').send(answer.lines);
      case 'conflict':
        return reply.code(409).type('text/x.tlog.size').send(`${answer.size}\n`);
      case 'malformed':
      case 'not-signed':
      case 'unknown-origin':
      case 'unproven':
        return reply.code(statuses[answer.kind]).type('text/plain; charset=utf-8').send(`${answer.reason}\n`);
    }
  });
  return server;
}

function plain(reply: FastifyReply, status: number, line: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${line}\n`);
}

function answerTo(desk: WitnessDesk, body: unknown): DeskAnswer {
  let request: ReturnType<typeof parseAddCheckpoint>;
  try {
    request = parseAddCheckpoint(body instanceof Uint8Array ? body : new Uint8Array());
  } catch (error) {
    return { kind: 'malformed', reason: (error as Error).message };
  }
  return desk.add(request);
}
