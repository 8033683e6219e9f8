import type { Flag } from '@outrigger/host'

const noEffect = 'has no effect any more'

/** Every flag of `daprd`, in the order of `--help`. */
export const flags = [
  // the application
  {
    name: 'app-id',
    type: 'string',
    description: 'Name of the application, unique in its namespace; required',
  },
  { name: 'app-port', type: 'port', description: 'Port on which the application listens' },
  {
    name: 'app-protocol',
    type: 'string',
    default: 'http',
    description: 'What the application speaks: http, https, h2c, grpc or grpcs',
  },
  {
    name: 'app-channel-address',
    type: 'string',
    default: '127.0.0.1',
    description: 'Address on which the application listens',
  },
  {
    name: 'app-max-concurrency',
    type: 'int',
    default: '-1',
    description: 'How many calls of the application may be under way at once; -1 for any number',
  },
  {
    name: 'app-ssl',
    type: 'bool',
    default: 'false',
    description: 'Reach the application over TLS',
    deprecated: 'use --app-protocol=https or --app-protocol=grpcs',
  },
  {
    name: 'enable-app-health-check',
    type: 'bool',
    default: 'false',
    description: 'Probe the application, and send it nothing while it is unhealthy',
  },
  {
    name: 'app-health-check-path',
    type: 'string',
    default: '/healthz',
    description: 'Path of the probe (HTTP)',
  },
  { name: 'app-health-probe-interval', type: 'int', default: '5', description: 'Seconds between two probes' },
  {
    name: 'app-health-probe-timeout',
    type: 'int',
    default: '500',
    description: 'Milliseconds until a probe counts as failed',
  },
  {
    name: 'app-health-threshold',
    type: 'int',
    default: '3',
    description: 'Failed probes in a row that make the application unhealthy',
  },
  {
    name: 'app-binding-options-timeout',
    type: 'duration',
    default: '3s',
    description: 'How long an input binding waits for the application to say whether it wants its events',
  },
  {
    name: 'disable-init-endpoints',
    type: 'list',
    description: 'Questions not to ask the application at start: config, subscribe',
  },

  // the API
  { name: 'dapr-http-port', type: 'port', default: '3500', description: 'Port of the HTTP API' },
  { name: 'dapr-grpc-port', type: 'port', default: '50001', description: 'Port of the gRPC API' },
  {
    name: 'dapr-listen-addresses',
    type: 'list',
    description: 'Addresses on which the APIs listen; all when empty',
  },
  {
    name: 'dapr-public-port',
    type: 'port',
    description: 'Port of a second listener with health and metadata only; off when empty',
  },
  {
    name: 'dapr-public-listen-address',
    type: 'string',
    description: 'Address of that second listener; all when empty',
  },
  {
    name: 'unix-domain-socket',
    type: 'string',
    description: 'Folder in which the APIs listen on sockets instead of ports',
  },
  {
    name: 'allowed-origins',
    type: 'list',
    description:
      'Origins that browsers may call from, such as https://*.example.com; * for any, empty for none',
  },
  { name: 'max-body-size', type: 'quantity', default: '4Mi', description: 'Largest body of a request' },
  {
    name: 'dapr-http-max-request-size',
    type: 'int',
    default: '4',
    description: 'Largest body of a request in MB',
    deprecated: 'use --max-body-size',
  },
  {
    name: 'read-buffer-size',
    type: 'quantity',
    default: '4Ki',
    description: 'Largest header section of a request',
  },
  {
    name: 'dapr-http-read-buffer-size',
    type: 'int',
    default: '4',
    description: 'Largest header section of a request in KB',
    deprecated: 'use --read-buffer-size',
  },
  {
    name: 'enable-api-logging',
    type: 'bool',
    description: 'Log each call of the API; without the flag the Configuration decides',
  },

  // resources
  { name: 'resources-path', type: 'list', description: 'Folder of resource files; may be repeated' },
  {
    name: 'components-path',
    type: 'string',
    description: 'Folder of resource files',
    deprecated: 'use --resources-path',
  },
  { name: 'config', type: 'list', description: 'File with a Configuration; may be repeated, later ones win' },
  {
    name: 'modules-path',
    type: 'list',
    description: 'Folder in which component packages are looked for as well; may be repeated',
  },
  {
    name: 'hot-reload-reconcile-interval',
    type: 'duration',
    default: '0s',
    description: 'How often resources are listed again besides being watched; 0 means 60 s',
    unbuilt: 'hot reload',
  },
  {
    name: 'disable-builtin-k8s-secret-store',
    type: 'bool',
    default: 'false',
    description: 'Do not add the secret store of Kubernetes',
  },

  // the process
  { name: 'mode', type: 'string', default: 'standalone', description: 'standalone or kubernetes' },
  {
    name: 'compat',
    type: 'string',
    default: 'dapr',
    description:
      'What is accepted beyond Dapr of today: dapr (nothing), early (all forms of early versions), or some of them by name, between commas',
  },
  {
    name: 'dapr-graceful-shutdown-seconds',
    type: 'int',
    default: '5',
    description: 'Seconds for an orderly end before the process is cut off; 0 for no limit',
  },
  {
    name: 'dapr-block-shutdown-duration',
    type: 'duration',
    description:
      'How long an end is put off while the application is still healthy and uses the API; messages and events of bindings stop at once. Not at all without the flag',
  },
  {
    name: 'memory-limit',
    type: 'quantity',
    env: 'OUTRIGGER_MEMORY_LIMIT',
    description:
      'Memory of the sidecar, such as 256Mi: near it new work is refused with 503; 0 for no limit. Default: that of the control group, where there is one',
  },
  {
    name: 'wait',
    type: 'bool',
    default: 'false',
    description: 'Wait up to 60 s until a running sidecar is ready, then exit',
  },
  { name: 'version', type: 'bool', default: 'false', description: 'Print the version and exit' },
  { name: 'build-info', type: 'bool', default: 'false', description: 'Print version and build and exit' },
  { name: 'log-level', type: 'string', default: 'info', description: 'debug, info, warn, error or fatal' },
  { name: 'log-as-json', type: 'bool', default: 'false', description: 'Log lines as JSON' },
  { name: 'log-file', type: 'string', description: 'File to which log lines go as well' },
  { name: 'enable-metrics', type: 'bool', default: 'true', description: 'Offer metrics' },
  {
    name: 'metrics-port',
    type: 'port',
    default: '9090',
    description: 'Port of the metrics; without the flag, none are offered where it is taken',
  },
  {
    name: 'metrics-listen-address',
    type: 'string',
    default: '0.0.0.0',
    description: 'Address of the metrics',
  },
  {
    name: 'enable-profiling',
    type: 'bool',
    default: 'false',
    description: 'Offer profiles of the running process',
    unbuilt: 'profiling',
  },
  {
    name: 'profile-port',
    type: 'port',
    default: '7777',
    description: 'Port of the profiles',
    unbuilt: 'profiling',
  },

  // other sidecars and the control plane
  {
    name: 'dapr-internal-grpc-port',
    type: 'port',
    description: 'Port for other sidecars (default: one that stays the same for this application and folder)',
  },
  {
    name: 'dapr-internal-grpc-listen-address',
    type: 'string',
    description: 'Address for other sidecars (default: all)',
  },
  { name: 'enable-mtls', type: 'bool', default: 'false', description: 'Mutual TLS between sidecars' },
  {
    name: 'control-plane-address',
    type: 'string',
    description: 'Address of the operator',
    unbuilt: 'the control plane',
  },
  {
    name: 'control-plane-trust-domain',
    type: 'string',
    default: 'localhost',
    env: 'DAPR_CONTROLPLANE_TRUST_DOMAIN',
    description: 'Trust domain of the control plane',
  },
  {
    name: 'control-plane-namespace',
    type: 'string',
    default: 'default',
    env: 'DAPR_CONTROLPLANE_NAMESPACE',
    description: 'Namespace of the control plane',
  },
  {
    name: 'sentry-address',
    type: 'string',
    description: 'Address of the certificate authority',
  },
  {
    name: 'sentry-request-jwt-audiences',
    type: 'list',
    description: 'Audiences of the tokens that certificates are asked for with',
  },
  {
    name: 'placement-host-address',
    type: 'string',
    description: 'Addresses of the placement service',
    unbuilt: 'actors',
  },
  {
    name: 'actors-disseminate-timeout',
    type: 'duration',
    default: '30s',
    description: 'How long a round of actor placement may take',
    unbuilt: 'actors',
  },
  {
    name: 'scheduler-host-address',
    type: 'list',
    description: 'Addresses of the scheduler service',
    unbuilt: 'jobs and reminders',
  },
  {
    name: 'scheduler-job-streams',
    type: 'int',
    default: '3',
    description: 'Streams to each scheduler',
    unbuilt: 'jobs and reminders',
  },
  {
    name: 'actors-service',
    type: 'string',
    description: 'Kind and address of the actor service',
    deprecated: noEffect,
    hidden: true,
  },
  {
    name: 'reminders-service',
    type: 'string',
    description: 'Kind and address of the reminder service',
    deprecated: noEffect,
    hidden: true,
  },
] as const satisfies readonly Flag[]
