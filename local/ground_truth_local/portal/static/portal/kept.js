/** What this browser keeps through reload, crash and sleep: drafts, and answers that are still to be sent. */

const DATABASE = "worker-portal";

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("drafts");
      request.result.createObjectStore("answers");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(store, mode, work) {
  const transaction = (await database()).transaction(store, mode, { durability: "strict" });
  const request = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

/** Something kept in "drafts" or "answers", undefined if there is nothing. */
export const get = (store, key) => run(store, "readonly", (objects) => objects.get(key));
/** Keep something; resolves when it is on the disk. */
export const put = (store, key, value) => run(store, "readwrite", (objects) => objects.put(value, key));
export const remove = (store, key) => run(store, "readwrite", (objects) => objects.delete(key));
export const keys = (store) => run(store, "readonly", (objects) => objects.getAllKeys());
