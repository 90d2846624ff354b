"""The five source documents as data: what each prints, decided by machine."""
