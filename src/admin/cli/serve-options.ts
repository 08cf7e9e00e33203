import type { Command } from 'commander';

/** The flags that win over the configuration file: spelt as its keys, with dashes. */
export function withServeOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the configuration file; config.example.toml explains it')
    .option('--data-dir <path>', 'where everything is kept (./data)')
    .option('--listen <host:port>', 'where NFS is served (127.0.0.1:2049)')
    .option('--admin-socket <path>', 'where the commands find this server (admin.sock in the data directory)')
    .option('--portmap-listen <host:port>', 'a port mapper, for showmount and BSD; such as 127.0.0.1:111')
    .option('--grpc-listen <host:port>', 'the admin service over TCP')
    .option('--http-listen <host:port>', '/metrics, /healthz and /readyz, on this machine only')
    .option('--durability <mode>', 'strict, or relaxed: changes of metadata are on disk a little later')
    .option('--insecure-ports', 'clients may use any source port')
    .option('--repair', 'start also where the store is damaged, without what is lost');
}
