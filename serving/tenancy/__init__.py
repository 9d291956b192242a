"""Who asks: merchants, API keys and what each key may do."""
