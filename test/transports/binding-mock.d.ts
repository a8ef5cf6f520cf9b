/** The package has types, but its `exports` hide them. */
declare module '@serialport/binding-mock' {
  export const MockBinding: import('../../lib/transports/console/device.js').DeviceBinding & {
    reset(): void;
    createPort(path: string, options?: { echo?: boolean; record?: boolean; readyData?: Buffer }): void;
  };
}
