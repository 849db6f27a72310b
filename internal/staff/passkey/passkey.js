// Passkeys on the staff pages. What needs this script is hidden until it runs
// in a browser that has passkeys; all else works without it.
const where = {
	enter: { begin: '/staff/sign-in/passkey/begin', end: '/staff/sign-in/passkey' },
	add: { begin: '/staff/account/passkeys/begin', end: '/staff/account/passkeys' },
}

async function post(address, body) {
	const answer = await fetch(address, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
		body: JSON.stringify(body ?? {}),
	})
	if (answer.ok) return answer.status === 204 ? null : answer.json()
	const problem = await answer.json().catch(() => ({}))
	throw new Error(problem.detail || 'That did not work. Try again in a moment.')
}

async function touch(kind) {
	const { publicKey } = await post(where[kind].begin)
	const key = kind === 'add'
		? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
		: await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) })
	await post(where[kind].end, key.toJSON())
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
	for (const part of document.querySelectorAll('[data-passkey]')) {
		const [button, error] = [part.querySelector('button'), part.querySelector('.error')]
		part.hidden = false
		button.addEventListener('click', async () => {
			error.hidden = true
			button.setAttribute('aria-busy', 'true')
			try {
				await touch(part.dataset.passkey)
				location.assign(part.dataset.to)
			} catch (failure) {
				error.textContent = failure.name === 'NotAllowedError' ? 'No passkey was used.'
					: failure.name === 'InvalidStateError' ? 'This device has a passkey for these pages already.' : failure.message
				error.hidden = false
				button.removeAttribute('aria-busy')
			}
		})
	}
}
