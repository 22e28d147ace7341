/** Base64, which a machine does ten times as fast as what is part of JavaScript (`atob`). */
export type Base64 = {
  /**
   * @param place memory of `size` bytes at least, where the bytes shall lie
   * @param size bytes that the text is of, if it is base64 throughout
   * @returns undefined where it is not
   */
  read(
    text: string,
    place: { readonly buffer: ArrayBuffer; readonly offset: number },
    size: number,
  ): Uint8Array<ArrayBuffer> | undefined;
  write(bytes: Uint8Array): string;
};
