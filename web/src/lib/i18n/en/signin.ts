// Ways in: sign-in, and the links that the server makes.
export const signin = {
  "signin.or": "or",
  "signin.lost": "Forgotten your password? An administrator can make you a link.",
  "link.none": "This page needs the code of a link. Open the whole link once more.",
  "link.bad": "This link is not good any more",
  "link.for": "For {email}.",
  "link.name": "Name",
  "password.hint": "At least 12 characters.",
  "link.password.hint": "At least 12 characters. A passkey can be added afterwards, in the settings.",
  "link.setup": "Make the first member",
  "link.setup.text": "The first member is an owner: they invite the others and may do everything.",
  "link.setup.submit": "Make member and sign in",
  "link.invite": "Welcome",
  "link.invite.submit": "Save and sign in",
  "link.reset": "Choose a new password",
  "link.reset.submit": "Save and sign in",
} as const;
