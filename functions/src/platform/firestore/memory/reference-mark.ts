/** Where a document is. A base class of its own, so that a query can know a reference without importing it back. */
export class DocumentReferenceMark {
  readonly id: string;
  readonly path: string;
  readonly parentPath: string;

  constructor(parentPath: string, id: string) {
    if (id === '') {
      throw new Error(
        'Value for argument "documentPath" is not a valid resource path. Path must be a non-empty string.',
      );
    }
    this.id = id;
    this.parentPath = parentPath;
    this.path = `${parentPath}/${id}`;
  }
}
