// /metrics for Prometheus, /healthz (the process answers) and /readyz (it serves, and acknowledges), for this machine.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AdminLog } from '../admin-log.ts';
import { type HostPort, hostPortText } from '../config/host-port.ts';
import { listenError } from '../start-error.ts';
import { metricsOf } from './metrics.ts';
import type { MetricsSource } from './metrics-source.ts';

export interface HttpServerOptions {
  readonly listen: HostPort;
  readonly metrics: MetricsSource;
  readonly log: AdminLog;
}

export interface HttpServer {
  readonly endpoint: HostPort;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly text: string;
}

type Page = () => Answer | Promise<Answer>;

/** @throws StartError */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const pages = pagesOf(options);
  const server = createServer((request, response) => {
    void answer(pages, request, response, options.log);
  });
  await listen(server, options.listen);
  server.on('error', (error) => options.log.error({ err: error }, 'Cannot accept HTTP connections'));
  const { port } = server.address() as { readonly port: number };
  return {
    endpoint: { host: options.listen.host, port },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function pagesOf({ metrics: source }: HttpServerOptions): ReadonlyMap<string, Page> {
  const metrics = metricsOf(source);
  return new Map<string, Page>([
    ['/metrics', async () => ({ status: 200, contentType: metrics.contentType, text: await metrics.text() })],
    ['/healthz', () => ({ status: 200, text: 'ok\n' })],
    [
      '/readyz',
      () => {
        const reason = source.notReady();
        return reason === undefined ? { status: 200, text: 'ok\n' } : { status: 503, text: `${reason}\n` };
      },
    ],
  ]);
}

async function listen(server: Server, endpoint: HostPort): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const { code } = cause;
      reject(listenError({ endpoint: hostPortText(endpoint), flag: '--http-listen', code, cause }));
    });
    server.listen(endpoint, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

async function answer(
  pages: ReadonlyMap<string, Page>,
  request: IncomingMessage,
  response: ServerResponse,
  log: AdminLog,
): Promise<void> {
  const path = request.url?.split('?')[0] ?? '';
  try {
    const { status, contentType, text } = await answerTo(pages.get(path), path, request.method);
    if (status === 405) response.setHeader('allow', 'GET, HEAD');
    response.writeHead(status, {
      'content-type': contentType ?? 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  } catch (error) {
    log.error({ err: error }, `Cannot answer ${path}`);
    response.writeHead(500).end();
  }
}

async function answerTo(page: Page | undefined, path: string, method: string | undefined): Promise<Answer> {
  if (!page) {
    return { status: 404, text: `There is no ${path}; there are /metrics, /healthz and /readyz\n` };
  }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'Only GET and HEAD are served\n' };
  return page();
}
